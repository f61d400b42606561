/** Addresses of a project's pages, in the order they are tried. */

import { lazy, type ReactNode } from "react";
import { Case } from "./Case";
import { Gates } from "./Gates";
import { Overview } from "./Overview";
import { Run } from "./Run";
import { Runs } from "./Runs";
import { Suites } from "./Suites";
import { Trends } from "./Trends";

// Pages that are not the first a reader opens come in files of their own.
const Account = lazy(() => import("./Account").then((file) => ({ default: file.Account })));
const Admin = lazy(() => import("./admin/Admin").then((file) => ({ default: file.Admin })));
const Compare = lazy(() => import("./compare/Compare").then((file) => ({ default: file.Compare })));
const Dataset = lazy(() => import("./Dataset").then((file) => ({ default: file.Dataset })));
const Datasets = lazy(() => import("./Datasets").then((file) => ({ default: file.Datasets })));
const Adjudication = lazy(() => import("./review/Adjudication").then((file) => ({ default: file.Adjudication })));
const Agreement = lazy(() => import("./review/Agreement").then((file) => ({ default: file.Agreement })));
const Findings = lazy(() => import("./Findings").then((file) => ({ default: file.Findings })));
const Labelling = lazy(() => import("./review/Labelling").then((file) => ({ default: file.Labelling })));
const QueuePage = lazy(() => import("./review/QueuePage").then((file) => ({ default: file.QueuePage })));
const Queues = lazy(() => import("./review/Queues").then((file) => ({ default: file.Queues })));

type Parts = Record<string, string>;

export const ROUTES: [string, (parts: Parts) => ReactNode][] = [
  ["/overview", () => <Overview />],
  ["/gates", () => <Gates />],
  ["/runs", () => <Runs />],
  ["/runs/:run", (parts) => <Run run={parts["run"] ?? ""} />],
  ["/runs/:run/cases/:case", (parts) => <Case run={parts["run"] ?? ""} id={parts["case"] ?? ""} />],
  ["/compare", () => <Compare />],
  ["/trends", () => <Trends />],
  ["/findings", () => <Findings />],
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
