/** The cases of a run: filtered and sorted by the server, any filter in the URL. */

import { useMemo } from "react";
import { usePaged } from "../api/queries";
import type { CaseRow, RunDetail } from "../api/types";
import { useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { DataTable, ExportMenu, useColumns, type Column } from "../components/DataTable";
import { ActiveFilters, Filters } from "../components/Filters";
import { Empty } from "../components/Status";
import { Line } from "../components/Text";
import { Outcome } from "../components/Verdict";
import { SavedViews } from "../components/Views";
import { money, number, seconds } from "../lib/format";
import { visible } from "../lib/hidden";

const FILTERS = { status: "status", metric: "metric", min: "at least", max: "at most", slice: "slice", q: "search", trial: "trial" };

export const caseQuery = (read: (name: string) => string): Record<string, string> =>
  Object.fromEntries([...Object.keys(FILTERS), "sort"].map((name) => [name, read(name)]).filter(([, value]) => value));

export function CaseTable({ run, data }: { run: string; data: RunDetail }) {
  const project = useProject();
  const [read, write] = useQueryState();
  const params = useMemo(() => caseQuery(read), [read]);
  const page = usePaged<CaseRow>(project.api(`/runs/${encodeURIComponent(run)}/cases`), params);
  const metrics = useMemo(() => (data.manifest.scorers ?? []).map((scorer) => scorer.metric), [data]);
  const all = useMemo(() => columnsFor(data), [data]);
  const [columns, chooser] = useColumns(all);
  const slices = data.slices.flatMap((slice) => slice.values.map((value) => value.slice ?? ""));
  const search = new URLSearchParams(params).toString();
  return (
    <>
      <Filters search="Search in inputs and outputs  ( / )" choices={[
        { name: "status", label: "Status", options: ["failed", "errored", "passed"] },
        { name: "metric", label: "Metric", options: metrics },
        { name: "slice", label: "Slice", options: [...new Set(slices)].filter(Boolean) },
      ]}>
        {read("metric") && (
          <span className="range">
            <input aria-label="at least" type="number" step="any" placeholder="min" value={read("min")} onChange={(event) => write({ min: event.target.value })} />
            <input aria-label="at most" type="number" step="any" placeholder="max" value={read("max")} onChange={(event) => write({ max: event.target.value })} />
          </span>
        )}
        <span className="spring" />
        <SavedViews page="cases" presets={[{ name: "Failures, slowest first", query: "status=failed&sort=-latency" }, { name: "Errors only", query: "status=errored" }, { name: "Most expensive", query: "sort=-cost" }]} />
        {chooser}
        <ExportMenu table="cases" params={{ run, ...params }} />
      </Filters>
      <ActiveFilters names={FILTERS} />
      <DataTable label="Cases" columns={columns} page={page} rowKey={(row) => `${row.case_id}\u0000${row.trial}`} rowHeight={62}
        href={(row) => `${project.page(`/runs/${encodeURIComponent(run)}/cases/${encodeURIComponent(row.case_id)}`)}${query(row, search)}`}
        empty={<Empty title="No case matches">{Object.keys(params).length ? "Take off a filter to see more." : "The run holds no case."}</Empty>} />
    </>
  );
}

const query = (row: CaseRow, search: string) => {
  const parts = [row.trial ? `trial=${row.trial}` : "", search].filter(Boolean).join("&");
  return parts ? `?${parts}` : "";
};

function columnsFor(data: RunDetail): Column<CaseRow>[] {
  const scorers = data.manifest.scorers ?? [];
  return [
    { id: "case", title: "Case", main: true, sort: "id", cell: (row) => <span className="case-cell"><Outcome passed={row.passed} error={row.error} /> <span>{visible(row.case_id)}{row.trial ? <span className="muted"> trial {row.trial + 1}</span> : null}</span></span> },
    { id: "input", title: "Input", wide: true, cell: (row) => <span className="clamp2"><Line value={row.input} /></span> },
    { id: "output", title: "Output", wide: true, cell: (row) => <span className="clamp2">{row.error ? <span className="warn-text">{visible(row.error.kind)}: {visible(row.error.message ?? "")}</span> : <Line value={row.output} />}</span> },
    { id: "expected", title: "Expected", wide: true, optional: true, cell: (row) => <span className="clamp2"><Line value={row.expected} /></span> },
    ...scorers.map((scorer, place): Column<CaseRow> => ({
      id: `score:${scorer.metric}`, title: scorer.metric, sort: `score:${scorer.metric}`, numeric: true, optional: place >= 4,
      cell: (row) => <ScoreCell score={row.scores[scorer.metric]} unit={scorer.unit ?? ""} />,
    })),
    { id: "latency", title: "Latency", sort: "latency", numeric: true, cell: (row) => seconds(row.latency_s) },
    { id: "cost", title: "Cost", sort: "cost", numeric: true, optional: true, cell: (row) => money(row.cost) },
    { id: "slices", title: "Slices", optional: true, cell: (row) => (row.slices ?? []).map((slice) => <span key={slice} className="chip">{visible(slice)}</span>) },
  ];
}

export function ScoreCell({ score, unit }: { score: CaseRow["scores"][string] | undefined; unit: string }) {
  if (!score) return <span className="muted">–</span>;
  if (score.status !== "scored") return <span className="muted" title={score.status}>{score.status === "skipped" ? "skip" : score.status}</span>;
  const tone = score.passed === true ? "good-text" : score.passed === false ? "error-text" : "";
  if (score.passed !== null && score.passed !== undefined && (score.value === 0 || score.value === 1)) return <Outcome passed={score.passed} />;
  return <span className={tone}>{score.label ? visible(score.label) : number(score.value, unit)}</span>;
}
