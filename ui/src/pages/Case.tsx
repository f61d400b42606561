/** One case of a run: what went in, what came out, what was said of it and where it shows, how it did before. */

import { useMemo } from "react";
import { useGet } from "../api/queries";
import type { CaseDetail, FullScore, Unit } from "../api/types";
import { useKeys } from "../app/keys";
import { Link, navigate, useLocation, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { Tabs } from "../components/Filters";
import { Page } from "../components/Page";
import { CopyButton, Empty, Loaded } from "../components/Status";
import { Text } from "../components/Text";
import { Trace } from "../components/Trace";
import { Value } from "../components/Value";
import { Outcome } from "../components/Verdict";
import { count, moment, money, number, seconds } from "../lib/format";
import { visible } from "../lib/hidden";
import { AddToGolden, SendToReview } from "./CaseActions";
import { caseQuery } from "./CaseTable";
import { Answer } from "./CaseAnswer";
import { Notes } from "./Notes";

export function Case({ run, id }: { run: string; id: string }) {
  const project = useProject();
  const [read] = useQueryState();
  const { search } = useLocation();
  const filters = useMemo(() => {
    const { trial: _, ...rest } = caseQuery(read);
    return rest;
  }, [read]);
  const query = useGet<CaseDetail>(project.api(`/runs/${encodeURIComponent(run)}/cases/${encodeURIComponent(id)}`), filters, { keep: true });
  const data = query.data;
  const list = withoutCase(search);
  const to = (other: string | null | undefined) => other && navigate(`${project.page(`/runs/${encodeURIComponent(run)}/cases/${encodeURIComponent(other)}`)}${list}`);
  useKeys("Case", [
    { key: "[", what: "previous case of the list", run: () => to(data?.neighbours.previous) },
    { key: "]", what: "next case of the list", run: () => to(data?.neighbours.next) },
    { key: "u", what: "back to the run", run: () => navigate(`${project.page(`/runs/${encodeURIComponent(run)}`)}${list}`) },
  ]);
  return (
    <Page wide name={id} title={<span className="run-title">{data && <Outcome passed={data.passed} error={data.units.every((unit) => unit.error) && data.units.length ? true : null} />}{visible(id)}</span>}
      crumbs={[{ text: "Runs", to: project.page("/runs") }, { text: visible(run), to: `${project.page(`/runs/${encodeURIComponent(run)}`)}${list}` }]}
      lead={data && <Labels data={data} />}
      actions={<>
        <button type="button" disabled={!data?.neighbours.previous} onClick={() => to(data?.neighbours.previous)} title="previous case ( [ )">← Previous</button>
        <button type="button" disabled={!data?.neighbours.next} onClick={() => to(data?.neighbours.next)} title="next case ( ] )">Next →</button>
        {project.can("engineer") && <AddToGolden run={run} id={id} />}
        {project.can("engineer") && <SendToReview run={run} id={id} />}
        <CopyButton text={id} label="Copy id" />
      </>}>
      <Loaded query={query} rows={8}>{(found) => <Body run={run} id={id} data={found} />}</Loaded>
    </Page>
  );
}

/** The list's filters, without what belongs to one case. */
function withoutCase(search: URLSearchParams): string {
  const kept = new URLSearchParams(search);
  for (const name of ["trial", "view", "span"]) kept.delete(name);
  const text = kept.toString();
  return text ? `?${text}` : "";
}

function Labels({ data }: { data: CaseDetail }) {
  const slices = Object.entries(data.slices ?? {}).flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
  const labels = [...slices, ...(data.case.tags ?? []).map((tag) => `#${tag}`), ...(data.case.cluster ? [`cluster ${data.case.cluster}`] : [])];
  if (!labels.length) return null;
  return <span className="chips">{labels.map((label) => <span key={label} className="chip">{visible(label)}</span>)}</span>;
}

function Body({ run, id, data }: { run: string; id: string; data: CaseDetail }) {
  const [read, write] = useQueryState();
  const trial = Number(read("trial", "0"));
  const unit = data.units.find((each) => each.trial === trial) ?? data.units[0];
  const view = read("view", "answer");
  return (
    <>
      {data.why_failed && <p className="notice why-failed"><b>Why it failed:</b> {visible(data.why_failed)}</p>}
      <div className="case-page">
        <div className="case-main">
          <section><h4>Input</h4><Value value={data.case.input} /></section>
          {data.units.length > 1 && (
            <div className="segments" role="group" aria-label="Trial">
              {data.units.map((each) => <button key={each.trial} type="button" className={each === unit ? "on" : ""} onClick={() => write({ trial: each.trial ? String(each.trial) : null })}>Trial {each.trial + 1} <Outcome passed={each.passed} error={each.error} /></button>)}
            </div>
          )}
          {!unit && <Empty title="The run has not got to this case" />}
          {unit && (
            <>
              <Tabs name="view" fallback="answer" tabs={[
                { id: "answer", title: "Answer" },
                ...((unit.spans ?? 0) > 0 ? [{ id: "trace", title: <>Trace <span className="muted">{count(unit.spans ?? 0)} spans</span></> }] : []),
                { id: "expected", title: "Expected and metadata" },
                { id: "history", title: <>History <span className="muted">{data.history.length}</span></> },
              ]} />
              {view === "answer" && <Answer unit={unit} />}
              {view === "trace" && <Trace run={run} caseId={id} trial={unit.trial} />}
              {view === "expected" && <Expected data={data} />}
              {view === "history" && <History data={data} id={id} run={run} />}
            </>
          )}
        </div>
        <aside className="case-side">
          {unit && <Scores unit={unit} />}
          {data.case.expected !== null && data.case.expected !== undefined && view === "answer" && <div className="card"><h4>Expected</h4><Value value={data.case.expected} /></div>}
          {unit && <Facts unit={unit} />}
          <Notes run={run} id={id} />
        </aside>
      </div>
    </>
  );
}

function Expected({ data }: { data: CaseDetail }) {
  return (
    <>
      <section><h4>Expected</h4>{data.case.expected === null || data.case.expected === undefined ? <p className="none">The case names no expectation.</p> : <Value value={data.case.expected} />}</section>
      <section><h4>Metadata</h4>{Object.keys(data.case.metadata ?? {}).length ? <Value value={data.case.metadata} /> : <p className="none">none</p>}</section>
    </>
  );
}

function Facts({ unit }: { unit: Unit }) {
  const tokens = unit.tokens;
  const facts: [string, string][] = [
    ["Latency", seconds(unit.latency_s)], ["With waits", seconds(unit.duration_s)], ["Cost", money(unit.cost)],
    ["Tokens", tokens ? `${count(tokens.input_tokens ?? 0)} in, ${count(tokens.output_tokens ?? 0)} out` : "–"],
    ["Model", unit.output?.model ? visible(unit.output.model) : "–"], ["Stopped by", unit.output?.finish_reason ? visible(unit.output.finish_reason) : "–"],
    ["Cache", unit.cached ? "answered from the cache" : "–"],
  ];
  return (
    <div className="card">
      <h4>How it was answered</h4>
      <dl className="fields tight">{facts.filter(([, value]) => value !== "–").map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {!!unit.attempts?.length && (
        <details className="fold"><summary>{unit.attempts.length} failed {unit.attempts.length === 1 ? "try" : "tries"} before</summary>
          <ul>{unit.attempts.map((attempt, place) => <li key={place}><b>{visible(attempt.kind)}</b> {attempt.status ?? ""} <Text plain value={attempt.message ?? ""} /></li>)}</ul>
        </details>
      )}
    </div>
  );
}

/** The scores, failed ones first, each with its reason and the places it points at. */
function Scores({ unit }: { unit: Unit }) {
  const order = (score: FullScore) => (score.passed === false ? 0 : score.status === "error" ? 1 : score.status === "scored" ? 2 : 3);
  const scores = Object.entries(unit.scores).sort((a, b) => order(a[1]) - order(b[1]));
  return (
    <div className="card scores">
      <h4>Scores</h4>
      {!scores.length && <p className="none">{unit.error ? "No answer, so nothing was scored." : "No scorer looked at this."}</p>}
      <ul>
        {scores.map(([metric, score]) => (
          <li key={metric}>
            <div className="score-line">
              <Outcome passed={score.passed} error={score.status === "error" ? score.status : null} />
              <b>{visible(metric)}</b>
              <span className="end">{score.status === "scored" ? (score.label ? visible(score.label) : number(score.value)) : <span className="muted">{score.status}</span>}</span>
            </div>
            {score.reason && <Text plain className={score.passed === false ? "" : "muted"} value={score.reason} />}
            {!!Object.keys(score.parts ?? {}).length && <p className="small-text muted">{Object.entries(score.parts ?? {}).map(([name, value]) => `${visible(name)} ${number(value)}`).join(" · ")}</p>}
            {(score.evidence ?? []).slice(0, 12).map((item, place) => (
              <button key={place} type="button" className="evidence" onClick={() => show(`mark-${metric}-${place}`)}>
                <span className="muted">{item.where ?? "output"}{typeof item.index === "number" ? ` ${item.index + 1}` : ""}</span>{" "}
                {item.text && <q>{visible(item.text.slice(0, 240))}</q>} {item.note && <span>{visible(item.note)}</span>}
              </button>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Bring a marked place into view and light it up for a moment. */
function show(id: string) {
  const place = document.getElementById(id);
  if (!place) return;
  place.closest("details")?.setAttribute("open", "");
  place.scrollIntoView({ block: "center", behavior: "smooth" });
  const lit = place.closest("mark") ?? place;
  lit.classList.add("lit");
  setTimeout(() => lit.classList.remove("lit"), 1600);
}

function History({ data, id, run }: { data: CaseDetail; id: string; run: string }) {
  const project = useProject();
  const metrics = [...new Set(data.history.flatMap((past) => Object.keys(past.scores ?? {})))].slice(0, 6);
  if (!data.history.length) return <Empty title="No other run has this case" />;
  return (
    <table className="grid">
      <thead><tr><th>Run</th><th>When</th><th>Target</th>{metrics.map((metric) => <th key={metric} className="n">{visible(metric)}</th>)}</tr></thead>
      <tbody>
        {data.history.map((past) => (
          <tr key={past.run_id} className={past.run_id === run ? "current" : ""}>
            <td className="key1"><span className="case-cell"><Outcome passed={past.passed} error={past.errored} /><span><Link to={project.page(`/runs/${encodeURIComponent(past.run_id)}/cases/${encodeURIComponent(id)}`)}>{visible(past.run_id)}</Link>{past.same_case === false && <span className="chip">the case was different then</span>}</span></span></td>
            <td data-l="when">{moment(past.at)}</td><td data-l="target">{visible(past.target ?? "")}</td>
            {metrics.map((metric) => <td key={metric} className="n" data-l={metric}>{number(past.scores?.[metric]?.value)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
