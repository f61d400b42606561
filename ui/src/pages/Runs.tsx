/** Every run of the project, newest first; choose two or more to compare. */

import { useMemo, useState } from "react";
import { useGet, usePaged } from "../api/queries";
import type { Listing, RunEntry, SuiteEntry } from "../api/types";
import { navigate, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { DataTable, ExportMenu, useColumns, type Column } from "../components/DataTable";
import { Figures } from "../components/Estimate";
import { ActiveFilters, Filters } from "../components/Filters";
import { Page } from "../components/Page";
import { Empty } from "../components/Status";
import { SavedViews } from "../components/Views";
import { State, VerdictBadge } from "../components/Verdict";
import { count, metricName, moment, money, relative, seconds } from "../lib/format";
import { visible } from "../lib/hidden";

const COLUMNS: Column<RunEntry>[] = [
  { id: "run", title: "Run", main: true, cell: (run) => <span className="run-id">{visible(run.run_id)}</span> },
  { id: "suite", title: "Suite", sort: "suite", cell: (run) => visible(run.suite) },
  { id: "target", title: "Target", sort: "target", cell: (run) => visible(run.target) },
  { id: "verdict", title: "Gate", sort: "verdict", cell: (run) => <VerdictBadge verdict={run.verdict} /> },
  { id: "headline", title: "Headline", cell: (run) => (run.headline ? <span title={metricName(run.headline)}><Figures figure={run.headline} /></span> : <span className="muted">–</span>) },
  { id: "cases", title: "Cases", sort: "cases", numeric: true, cell: (run) => count(run.cases) },
  { id: "errored", title: "Errors", sort: "errored", numeric: true, optional: true, cell: (run) => count(run.errored) },
  { id: "cost", title: "Cost", sort: "cost", numeric: true, cell: (run) => money(run.cost) },
  { id: "status", title: "Status", sort: "status", cell: (run) => <State state={run.status === "running" && run.live?.alive === false ? "cut off" : run.status} /> },
  { id: "duration", title: "Took", optional: true, numeric: true, cell: (run) => (run.finished_at ? seconds(run.finished_at - run.created_at) : "–") },
  { id: "tags", title: "Tags", optional: true, cell: (run) => (run.tags ?? []).map((tag) => <span key={tag} className="chip">{visible(tag)}</span>) },
  { id: "at", title: "Started", sort: "created_at", numeric: true, cell: (run) => <time title={moment(run.created_at)}>{relative(run.created_at)}</time> },
];

const FILTERS = { suite: "suite", target: "target", status: "status", verdict: "gate", tag: "tag", q: "search" };

export function Runs() {
  const project = useProject();
  const [read] = useQueryState();
  const [chosen, setChosen] = useState<string[]>([]);
  const params = useMemo(() => ({ ...Object.fromEntries(Object.keys(FILTERS).map((name) => [name, read(name)])), sort: read("sort") }), [read]);
  const page = usePaged<RunEntry>(project.api("/runs"), params, { refetchInterval: 20_000 });
  const suites = useGet<Listing<SuiteEntry>>(project.api("/suites"));
  const [columns, chooser] = useColumns(COLUMNS);
  const toggle = (run: RunEntry) => setChosen((now) => (now.includes(run.run_id) ? now.filter((id) => id !== run.run_id) : [...now, run.run_id].slice(-10)));
  const compare = () => {
    const [candidate, ...others] = sorted(chosen, page.rows);
    const baseline = others.pop();
    if (!baseline || !candidate) return;
    const query = new URLSearchParams([["baseline", baseline], ...[candidate, ...others].map((id) => ["candidate", id])] as string[][]);
    navigate(`${project.page("/compare")}?${query.toString()}`);
  };
  return (
    <Page title="Runs" name="Runs" actions={<><SavedViews page="runs" presets={PRESETS} />{chooser}<ExportMenu table="runs" params={params} /></>}>
      <Filters search="Search runs  ( / )" choices={[
        { name: "suite", label: "Suite", options: (suites.data?.items ?? []).map((suite) => suite.name) },
        { name: "verdict", label: "Gate", options: ["pass", "fail", "inconclusive"] },
        { name: "status", label: "Status", options: ["running", "complete", "interrupted", "stopped", "budget", "decided"] },
      ]}>
        {chosen.length > 0 && (
          <span className="chosen">
            {chosen.length === 1 ? "choose another run to compare" : `${chosen.length} runs`}{" "}
            {chosen.length > 1 && <button type="button" className="primary" onClick={compare}>Compare</button>}
            <button type="button" className="link" onClick={() => setChosen([])}>clear</button>
          </span>
        )}
      </Filters>
      <ActiveFilters names={FILTERS} />
      <DataTable label="Runs" columns={columns} page={page} rowKey={(run) => run.run_id} chosen={new Set(chosen)} onChoose={toggle}
        href={(run) => project.page(`/runs/${encodeURIComponent(run.run_id)}`)}
        empty={<Empty title="No run here" command="evalwright run suite.yaml">No run matches, or none was made yet in this workspace.</Empty>} />
    </Page>
  );
}

const PRESETS = [
  { name: "Failing gates", query: "verdict=fail" },
  { name: "Not decided", query: "verdict=inconclusive" },
  { name: "Running now", query: "status=running" },
  { name: "Most expensive", query: "sort=-cost" },
];

/** Newest first, so that the oldest becomes the baseline. */
function sorted(ids: string[], rows: RunEntry[]): string[] {
  const at = new Map(rows.map((run) => [run.run_id, run.created_at]));
  return [...ids].sort((a, b) => (at.get(b) ?? 0) - (at.get(a) ?? 0));
}
