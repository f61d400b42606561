/** Addresses of a project's pages, in the order they are tried. */

import type { ReactNode } from "react";
import { Account } from "./Account";
import { Admin } from "./admin/Admin";
import { Case } from "./Case";
import { Compare } from "./compare/Compare";
import { Dataset } from "./Dataset";
import { Datasets } from "./Datasets";
import { Gates } from "./Gates";
import { Overview } from "./Overview";
import { Adjudication } from "./review/Adjudication";
import { Agreement } from "./review/Agreement";
import { Labelling } from "./review/Labelling";
import { QueuePage } from "./review/QueuePage";
import { Queues } from "./review/Queues";
import { Run } from "./Run";
import { Runs } from "./Runs";
import { Suites } from "./Suites";
import { Trends } from "./Trends";

type Parts = Record<string, string>;

export const ROUTES: [string, (parts: Parts) => ReactNode][] = [
  ["/overview", () => <Overview />],
  ["/gates", () => <Gates />],
  ["/runs", () => <Runs />],
  ["/runs/:run", (parts) => <Run run={parts["run"] ?? ""} />],
  ["/runs/:run/cases/:case", (parts) => <Case run={parts["run"] ?? ""} id={parts["case"] ?? ""} />],
  ["/compare", () => <Compare />],
  ["/trends", () => <Trends />],
  ["/suites", () => <Suites />],
  ["/datasets", () => <Datasets />],
  ["/datasets/:name", (parts) => <Dataset name={parts["name"] ?? ""} />],
  ["/review", () => <Queues />],
  ["/review/:queue", (parts) => <QueuePage id={parts["queue"] ?? ""} />],
  ["/review/:queue/label", (parts) => <Labelling id={parts["queue"] ?? ""} />],
  ["/review/:queue/agreement", (parts) => <Agreement id={parts["queue"] ?? ""} />],
  ["/review/:queue/adjudication", (parts) => <Adjudication id={parts["queue"] ?? ""} />],
  ["/account", () => <Account />],
  ["/admin", () => <Admin />],
];
