/** Addresses of a project's pages, in the order they are tried. */

import type { ReactNode } from "react";
import { Overview } from "./Overview";
import { Run } from "./Run";
import { Runs } from "./Runs";

type Parts = Record<string, string>;

export const ROUTES: [string, (parts: Parts) => ReactNode][] = [
  ["/overview", () => <Overview />],
  ["/runs", () => <Runs />],
  ["/runs/:run", (parts) => <Run run={parts["run"] ?? ""} />],
];
