/** One metric of a suite over its runs, with interval band and the places where comparability ended. */

import { useEffect } from "react";
import { useGet } from "../api/queries";
import type { Listing, SuiteEntry, Trends as Data } from "../api/types";
import { Link, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { Band } from "../components/Band";
import { ExportMenu } from "../components/DataTable";
import { Page } from "../components/Page";
import { SavedViews } from "../components/Views";
import { Empty, Loaded } from "../components/Status";
import { VerdictBadge } from "../components/Verdict";
import { count, interval, moment, number, plural } from "../lib/format";
import { visible } from "../lib/hidden";

export function Trends() {
  const project = useProject();
  const [read, write] = useQueryState();
  const suites = useGet<Listing<SuiteEntry>>(project.api("/suites"));
  const suite = read("suite");
  const first = suites.data?.items.find((each) => (each.runs ?? 1) > 0)?.name;
  useEffect(() => {
    if (!suite && first) write({ suite: first });
  }, [suite, first]);
  const params = { suite, metric: read("metric"), slice: read("slice"), statistic: read("statistic"), target: read("target") };
  const query = useGet<Data>(project.api("/trends"), params, { enabled: !!suite, keep: true });
  const data = query.data;
  const metrics = [...new Map((data?.metrics ?? []).map((each) => [each.metric, each])).values()];
  const statistics = (data?.metrics ?? []).filter((each) => each.metric === data?.metric);
  const slices = statistics.find((each) => each.statistic === data?.statistic)?.slices ?? [];
  return (
    <Page title="Trends" name="Trends" actions={<><SavedViews page="trends" /><ExportMenu table="trends" params={params} /></>}>
      {suites.data && !suites.data.items.length ? <Empty title="No run yet" command="evalwright run suite.yaml">A trend needs runs of one suite over time.</Empty> : (
        <>
          <div className="filters">
            <select aria-label="Suite" value={suite} onChange={(event) => write({ suite: event.target.value, metric: null, slice: null, statistic: null, target: null })}>{(suites.data?.items ?? []).map((each) => <option key={each.name}>{each.name}</option>)}</select>
            <select aria-label="Metric" value={data?.metric ?? ""} onChange={(event) => write({ metric: event.target.value, slice: null, statistic: null })}>{metrics.map((each) => <option key={each.metric}>{each.metric}</option>)}</select>
            {statistics.length > 1 && <select aria-label="Statistic" value={data?.statistic ?? ""} onChange={(event) => write({ statistic: event.target.value })}>{statistics.map((each) => <option key={each.statistic}>{each.statistic}</option>)}</select>}
            {slices.length > 0 && <select aria-label="Slice" value={read("slice")} onChange={(event) => write({ slice: event.target.value })}><option value="">all cases</option>{slices.map((each) => <option key={each}>{each}</option>)}</select>}
            {(data?.targets.length ?? 0) > 1 && <select aria-label="Target" value={read("target")} onChange={(event) => write({ target: event.target.value })}><option value="">all targets</option>{data?.targets.map((each) => <option key={each}>{each}</option>)}</select>}
          </div>
          <Loaded query={query} rows={6}>{(found) => <Chart data={found} />}</Loaded>
        </>
      )}
    </Page>
  );
}

function Chart({ data }: { data: Data }) {
  const project = useProject();
  const run = (id: string) => project.page(`/runs/${encodeURIComponent(id)}`);
  const breaks = data.points.filter((point, place) => place > 0 && point.comparable_with_previous === false);
  if (!data.points.length) return <Empty title="No run has this figure" />;
  return (
    <>
      <div className="card chart">
        <h2>{visible(data.metric)}{data.slice ? ` for ${visible(data.slice)}` : ""} <span className="muted small-text">{plural(data.points.length, "run")}; band: 95 % interval{data.higher_is_better === false ? "; lower is better" : ""}</span></h2>
        <Band title={`${data.metric} over ${data.points.length} runs`} unit={data.unit} height={260} width={1180}
          points={data.points.map((point) => ({ id: point.run_id, at: point.at, value: point.value, low: point.low ?? null, high: point.high ?? null, verdict: point.verdict ?? null, connected: point.comparable_with_previous ?? true, words: [point.run_id, point.target, point.break_reason].filter(Boolean).join("\n"), href: run(point.run_id) }))} />
        {breaks.length > 0 && <p className="small-text warn-text">{plural(breaks.length, "break")} of comparability (dashed): a difference across one is not the system's alone.</p>}
      </div>
      <table className="grid">
        <thead><tr><th>Run</th><th>When</th><th>Target</th><th className="n">Value</th><th className="n">Interval</th><th className="n">Cases</th><th>Gate</th><th>Compared with the run before</th></tr></thead>
        <tbody>
          {[...data.points].reverse().map((point) => (
            <tr key={point.run_id}>
              <td className="key1"><Link to={run(point.run_id)}>{visible(point.run_id)}</Link></td><td data-l="when">{moment(point.at)}</td><td data-l="target">{visible(point.target ?? "")}</td>
              <td className="n" data-l="value"><b>{number(point.value, data.unit)}</b></td><td className="n">{interval(point.low, point.high, data.unit)}</td><td className="n" data-l="cases">{count(point.n)}</td>
              <td><VerdictBadge verdict={point.verdict} /></td><td data-l="before">{point.comparable_with_previous === false ? <span className="warn-text">{visible(point.break_reason || "not comparable")}</span> : <span className="muted">comparable</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
