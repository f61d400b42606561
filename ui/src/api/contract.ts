/** What the pages read is what the server's description says it sends: a change of either that breaks this does not compile. */

import type * as page from "./types";
import type { components } from "./schema";

type Sent = components["schemas"];
type Fits<Server extends Page, Page> = Server extends Page ? true : never;

/** One line for each shape. */
export type Contract = [
  Fits<Sent["SessionInfo"], page.Session>,
  Fits<Sent["UserInfo"], page.User>,
  Fits<Sent["MemberInfo"], page.Member>,
  Fits<Sent["Estimate"], page.Estimate>,
  Fits<Sent["ListedRun"], page.RunEntry>,
  Fits<Sent["RunDetail"], page.RunDetail>,
  Fits<Sent["ListedUnit"], page.CaseRow>,
  Fits<Sent["CasePage"], page.CaseDetail>,
  Fits<Sent["SpanPage"], page.TracePage>,
  Fits<Sent["SpanDetail"], page.SpanDetail>,
  Fits<Sent["Overview"], page.Overview>,
  Fits<Sent["CompareView"], page.CompareResult>,
  Fits<Sent["CompareRow"], page.CompareRow>,
  Fits<Sent["Trend"], page.Trends>,
  Fits<Sent["SuiteRow"], page.SuiteEntry>,
  Fits<Sent["WaiverInfo"], page.Waiver>,
  Fits<Sent["QueueInfo"], page.Queue>,
  Fits<Sent["NextItem"], page.NextItem>,
  Fits<Sent["Submitted"], page.Submitted>,
  Fits<Sent["RubricAgreement"], page.RubricAgreement>,
];
