/** One run: verdict and rules, metrics with intervals, slices, cases; live while it runs. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useGet } from "../api/queries";
import { address } from "../api/client";
import type { Estimate, Live, RunDetail } from "../api/types";
import { Link, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { ExportMenu } from "../components/DataTable";
import { axisOf, Figures, inWords, IntervalBar, marksFor, type Axis, type BarMark } from "../components/Estimate";
import { Tabs } from "../components/Filters";
import { Page, Section } from "../components/Page";
import { RuleList } from "../components/Rules";
import { CopyButton, Empty, Loaded } from "../components/Status";
import { Text } from "../components/Text";
import { State, VerdictBadge } from "../components/Verdict";
import { count, day, metricName, moment, money, number, plural, seconds } from "../lib/format";
import { asText, visible } from "../lib/hidden";
import { CaseTable } from "./CaseTable";

export function Run({ run }: { run: string }) {
  const project = useProject();
  const query = useGet<RunDetail>(project.api(`/runs/${encodeURIComponent(run)}`), {}, { keep: true });
  const [read] = useQueryState();
  const entry = query.data?.entry;
  const tab = read("tab", "cases");
  return (
    <Page wide name={run} title={<span className="run-title">{visible(run)} {query.data && <VerdictBadge verdict={query.data.decision?.verdict} big />}</span>}
      crumbs={[{ text: "Runs", to: project.page("/runs") }, ...(entry ? [{ text: visible(entry.suite), to: `${project.page("/runs")}?suite=${encodeURIComponent(entry.suite)}` }] : [])]}
      lead={entry && <Facts data={query.data} />}
      actions={entry && <Actions run={run} data={query.data} />}>
      <Loaded query={query} rows={8}>
        {(data) => (
          <>
            <LiveStrip run={run} data={data} />
            {(data.notes ?? []).map((note) => <p key={note} className="notice">{visible(note)}</p>)}
            <div className="run-top">
              <Verdict data={data} />
              <Metrics data={data} />
            </div>
            <Tabs name="tab" fallback="cases" tabs={[
              { id: "cases", title: <>Cases <span className="muted">{count(data.entry.cases)}</span></> },
              { id: "slices", title: <>Slices <span className="muted">{data.slices.length}</span></> },
              { id: "about", title: "How it was run" },
            ]} />
            {tab === "cases" && <CaseTable run={run} data={data} />}
            {tab === "slices" && <Slices data={data} />}
            {tab === "about" && <About data={data} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ data }: { data: RunDetail | undefined }) {
  if (!data) return null;
  const { entry } = data;
  return (
    <span className="facts">
      <span>{visible(entry.suite)}</span><span>{visible(entry.target)}</span><span><State state={entry.status} /></span>
      <span title={moment(entry.created_at)}>{moment(entry.created_at)}</span>
      <span>{plural(entry.cases ?? 0, "case")}</span>
      {entry.cost !== null && entry.cost !== undefined && <span>{money(entry.cost)}</span>}
    </span>
  );
}

function Actions({ run, data }: { run: string; data: RunDetail | undefined }) {
  const project = useProject();
  return (
    <>
      <Link className="button" to={`${project.page("/compare")}?${new URLSearchParams(data?.decision?.baseline ? [["baseline", data.decision.baseline], ["candidate", run]] : [["candidate", run]]).toString()}`}>Compare</Link>
      {project.can("lead") && <Link className="button" to={`${project.page("/review")}?new=run&run=${encodeURIComponent(run)}`}>Send to review</Link>}
      <CopyButton text={run} label="Copy id" />
      <ExportMenu table="estimates" params={{ run }} />
    </>
  );
}

/** Progress of a running run, from the server's event stream; figures are read again as they come. */
function LiveStrip({ run, data }: { run: string; data: RunDetail }) {
  const project = useProject();
  const client = useQueryClient();
  const [streamed, setStreamed] = useState<Live | null>(null);
  const running = data.entry.status === "running";
  useEffect(() => {
    if (!running) return;
    const path = project.api(`/runs/${encodeURIComponent(run)}`);
    const source = new EventSource(address(`${path}/live`));
    const take = (event: MessageEvent<string>) => {
      const { live: next } = JSON.parse(event.data) as { live?: Live | null };
      if (next) setStreamed(next);
      if (event.type === "run.finished" || (next?.status && next.status !== "running")) void client.invalidateQueries();
    };
    for (const name of ["run.progress", "run.finished", "run.quiet"]) source.addEventListener(name, take as EventListener);
    const timer = setInterval(() => void client.invalidateQueries({ predicate: (query) => String(query.queryKey[0]).startsWith(path) }), 5_000);
    return () => {
      source.close();
      clearInterval(timer);
    };
  }, [running, run]);
  const live = streamed ?? data.live;
  if (!running || !live) return null;
  if (!live.alive) return <p className="notice">This run was cut off: no process works on it. <code>evalwright resume {visible(run)}</code> takes it up again and pays for nothing twice.</p>;
  const { progress } = live;
  if (!progress) return <div className="live card" role="status"><b>{live.paused ? "Held" : "Starting"}</b></div>;
  const means = Object.entries(progress.running ?? {}).slice(0, 3).map(([metric, value]) => `${visible(metric)} ${number(value)}`);
  return (
    <div className="live card" role="status">
      <b>{live.paused ? "Held" : "Running"}</b>
      <span className="progress"><span style={{ width: `${progress.units ? (100 * progress.done) / progress.units : 0}%` }} /></span>
      <span>{count(progress.done)} of {count(progress.units)}{progress.eta_s ? `, about ${seconds(progress.eta_s)} left` : ""}{means.length ? ` · so far ${means.join(", ")}` : ""}</span>
    </div>
  );
}

function Verdict({ data }: { data: RunDetail }) {
  const { decision } = data;
  if (!decision) return <div className="card verdict-card none"><h2>No gate</h2><p className="muted">The suite asks for no release condition, so nothing was decided.</p></div>;
  return (
    <div className={`card verdict-card ${decision.verdict}`}>
      <p className="sentence">{visible(decision.reason || defaultReason(data))}</p>
      <RuleList results={decision.results ?? []} run={data.entry.run_id} />
      {(decision.attempts ?? 0) > 1 && <p className="muted small-text">{decision.attempts} runs of this suite, target and data were decided, this one included.</p>}
      {!!decision.quarantined && <p className="muted small-text">{plural(decision.quarantined, "quarantined case")} did not count.</p>}
    </div>
  );
}

function defaultReason(data: RunDetail): string {
  const results = (data.decision?.results ?? []).filter((each) => (each.rule.severity ?? "block") === "block");
  const verdict = data.decision?.verdict;
  const hit = results.filter((each) => each.verdict === verdict).length;
  if (verdict === "pass") return results.length > 1 ? `All ${results.length} blocking rules passed.` : "The rule passed.";
  return `${hit} of ${plural(results.length, "blocking rule")} ${verdict === "fail" ? "failed" : "could not be decided with these cases"}.`;
}

function axisFor(data: RunDetail, figures: Estimate[], marks: BarMark[] = []): Axis {
  const declared = data.manifest.scorers?.find((scorer) => scorer.metric === figures[0]?.metric);
  return axisOf(figures, declared, marks);
}

function Metrics({ data }: { data: RunDetail }) {
  const rules = (data.decision?.results ?? []).map((each) => each.rule);
  const figures = data.estimates.filter((each) => !each.slice);
  if (!figures.length) return <Empty title="No figure yet" />;
  return (
    <div className="card metrics">
      <h2>Metrics</h2>
      <ul>
        {figures.map((figure) => {
          const tone = (data.decision?.results ?? []).find((each) => each.rule.metric === figure.metric && !each.rule.slice && (each.rule.statistic ?? "mean") === (figure.statistic ?? "mean"))?.verdict ?? "plain";
          return (
            <li key={metricName(figure)} title={inWords(figure)}>
              <span className="name">{visible(metricName(figure))}{figure.higher_is_better === false && <span className="muted" title="lower is better"> ↓</span>}</span>
              <IntervalBar figure={figure} axis={axisFor(data, [figure], marksFor(figure, rules))} marks={marksFor(figure, rules)} tone={tone} />
              <Figures figure={figure} />
              <span className="muted n">n {count(figure.n ?? 0)}{figure.errors ? `, ${count(figure.errors)} err` : ""}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Slices({ data }: { data: RunDetail }) {
  const [read, write] = useQueryState();
  const metrics = [...new Set(data.slices.flatMap((slice) => slice.values.map(metricName)))];
  const metric = read("metric") && metrics.includes(read("metric")) ? read("metric") : metrics[0] ?? "";
  if (!metrics.length) return <Empty title="No slices">The suite names no slices. Add <code>slices:</code> to it to see where the product is weak.</Empty>;
  const few = (each: Estimate) => Number((each.n ?? 0) < 20);
  const figures = data.slices.flatMap((slice) => slice.values.filter((value) => metricName(value) === metric)).sort((a, b) => few(a) - few(b));
  const whole = data.estimates.find((each) => !each.slice && metricName(each) === metric);
  const axis = axisFor(data, [...figures.filter((each) => (each.n ?? 0) >= 20), ...(whole ? [whole] : [])]);
  const rules = (data.decision?.results ?? []).map((each) => each.rule);
  return (
    <>
      <div className="filters">
        <select aria-label="Metric" value={metric} onChange={(event) => write({ metric: event.target.value })}>{metrics.map((each) => <option key={each}>{each}</option>)}</select>
        {whole && <span className="muted">all cases: {number(whole.value, whole.unit)}, the dashed line</span>}
      </div>
      <table className="grid">
        <thead><tr><th>Slice</th><th className="wide">Interval</th><th className="n">Value</th><th className="n">Cases</th></tr></thead>
        <tbody>
          {figures.map((figure) => (
            <tr key={figure.slice} className={(figure.n ?? 0) < 20 ? "small-slice" : ""}>
              <td className="key1"><button type="button" className="link" onClick={() => write({ tab: null, slice: figure.slice ?? "" })}>{visible(figure.slice ?? "")}</button></td>
              <td className="wide"><IntervalBar figure={figure} axis={axis} marks={marksFor(figure, rules)} whole={whole?.value ?? null} tone={(figure.n ?? 0) < 20 ? "small" : "plain"} /></td>
              <td className="n" data-l="value"><Figures figure={figure} /></td>
              <td className="n" data-l="cases">{count(figure.n ?? 0)}{(figure.n ?? 0) < 20 && <span className="muted"> (few)</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function About({ data }: { data: RunDetail }) {
  const { manifest, totals } = data;
  const facts: [string, unknown][] = [
    ["Suite", `${asText(manifest["suite"])} ${asText(manifest["suite_version"])}`], ["Suite file", manifest["suite_path"]], ["Target", manifest["target"]],
    ["Dataset", manifest.dataset], ["Code", manifest["code"]], ["Settings", manifest["settings"]], ["Packages", manifest["packages"]], ["Command", manifest["command"]],
  ];
  return (
    <>
      {!!data.bad_rows?.length && (
        <Section title="Rows set aside" note={plural(data.bad_rows.length, "row")}>
          <ul className="card">{data.bad_rows.slice(0, 50).map((row, place) => <li key={place}><b>{visible(row.source)} line {row.line}:</b> {visible(row.reason)} <Text plain mono value={row.text.slice(0, 400)} /></li>)}</ul>
        </Section>
      )}
      <Section title="Totals"><div className="card"><Fields items={Object.entries(totals ?? {})} /></div></Section>
      <Section title="Manifest" note="everything needed to repeat the run"><div className="card"><Fields items={facts} /></div></Section>
      <Section title="Scorers">
        <table className="grid">
          <thead><tr><th>Metric</th><th>Scorer</th><th>Version</th><th>Severity</th><th>Measured against people</th></tr></thead>
          <tbody>{(manifest.scorers ?? []).map((scorer) => (
            <tr key={scorer.metric}><td className="key1">{visible(scorer.metric)}</td><td data-l="scorer">{visible(scorer.name ?? "")}</td><td data-l="version">{visible(scorer.version ?? "")}</td><td data-l="severity">{scorer.severity ?? "–"}</td><td data-l="card"><Card card={data.cards?.[scorer.metric]} /></td></tr>
          ))}</tbody>
        </table>
      </Section>
    </>
  );
}

/** What is known of a scorer's own errors, from people's labels. */
function Card({ card }: { card: NonNullable<RunDetail["cards"]>[string] | undefined }) {
  if (!card) return <span className="muted">not measured</span>;
  return <>{card.figures.slice(0, 5).map((figure) => <span key={metricName(figure)} className="chip" title={inWords(figure)}>{figure.metric.replaceAll("_", " ")} <b>{number(figure.value)}</b></span>)} <span className="muted small-text">{count(card.n)} labels, {day(card.created_at)}</span></>;
}

function Fields({ items }: { items: [string, unknown][] }) {
  return (
    <dl className="fields">
      {items.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => (
        <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd>{typeof value === "object" ? <Text value={value} /> : typeof value === "number" ? value.toLocaleString("en-US") : <Text plain value={String(value)} />}</dd></div>
      ))}
    </dl>
  );
}
