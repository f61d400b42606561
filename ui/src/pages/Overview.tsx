/** "May we ship?" first; then quality over releases, safety, judges, golden sets, review, spend. */

import type { ReactNode } from "react";
import { useGet } from "../api/queries";
import type { Overview as Data, OverviewSuite, Waiver } from "../api/types";
import { Link } from "../app/router";
import { useProject } from "../app/session";
import { Band } from "../components/Band";
import { axisOf, Figures, IntervalBar } from "../components/Estimate";
import { Page, Section } from "../components/Page";
import { Empty, Loaded } from "../components/Status";
import { State, VerdictBadge } from "../components/Verdict";
import { count, interval, metricName, moment, money, number, plural, relative } from "../lib/format";
import { visible } from "../lib/hidden";

export function Overview() {
  const project = useProject();
  const query = useGet<Data>(project.api("/overview"), {}, { refetchInterval: 30_000 });
  return (
    <Page title="May we ship?" name="Overview" lead={query.data && <Answer suites={query.data.suites} />}>
      <Loaded query={query} rows={8}>{(data) => <Tiles data={data} />}</Loaded>
    </Page>
  );
}

const active = (waivers: Waiver[] | undefined) => (waivers ?? []).filter((waiver) => waiver.state === "active" || waiver.state === "approved");

/** The answer in a sentence. */
function Answer({ suites }: { suites: OverviewSuite[] }) {
  const gated = suites.filter((suite) => suite.verdict);
  const failing = gated.filter((suite) => suite.verdict === "fail");
  const open = gated.filter((suite) => suite.verdict === "inconclusive");
  const waived = gated.filter((suite) => active(suite.waivers).length);
  if (!gated.length) return <>No suite has been through a gate yet.</>;
  const words = [];
  if (failing.length) words.push(`No: the gate of ${listed(failing)} fails.`);
  else if (open.length) words.push(`Not decided: ${listed(open)} ${open.length === 1 ? "needs" : "need"} more evidence.`);
  else words.push(`Yes: ${gated.length === 1 ? "its gate passes" : `all ${gated.length} gates pass`}.`);
  if (failing.length && open.length) words.push(`${listed(open)} ${open.length === 1 ? "is" : "are"} not decided.`);
  if (waived.length) words.push(`${plural(waived.length, "suite")} ${waived.length === 1 ? "passes" : "pass"} or count with a waiver.`);
  return <>{words.join(" ")}</>;
}

const listed = (suites: OverviewSuite[]) => {
  const names = suites.map((suite) => visible(suite.suite));
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(" and ");
};

function Tiles({ data }: { data: Data }) {
  if (!data.suites.length) {
    return <Empty title="No run yet" command="evalwright run suite.yaml">Run a suite in this workspace, and its gate, its figures and their history appear here.</Empty>;
  }
  const order: Record<string, number> = { fail: 0, inconclusive: 1, pass: 2 };
  const suites = [...data.suites].sort((a, b) => (order[a.verdict ?? ""] ?? 3) - (order[b.verdict ?? ""] ?? 3) || Number(a.tier ?? 9) - Number(b.tier ?? 9));
  return (
    <>
      <div className="ship">{suites.filter((suite) => suite.verdict).map((suite) => <Gate key={`${suite.suite}/${suite.target ?? ""}`} suite={suite} />)}</div>
      <Ungated suites={suites.filter((suite) => !suite.verdict)} />
      <Quality suites={suites} />
      <div className="tiles">
        <Safety data={data} />
        <Judges data={data} />
        <Sets data={data} />
        <Review data={data} />
        <Spend data={data} />
      </div>
    </>
  );
}

function Gate({ suite }: { suite: OverviewSuite }) {
  const project = useProject();
  const waivers = active(suite.waivers);
  const run = suite.run_id ? project.page(`/runs/${encodeURIComponent(suite.run_id)}`) : project.page("/suites");
  const changed = suite.previous_verdict && suite.verdict && suite.previous_verdict !== suite.verdict;
  return (
    <article className={`card gate-card ${suite.verdict ?? "none"}`}>
      <header>
        <div>
          <h2><Link to={run}>{visible(suite.suite)}</Link></h2>
          <p className="muted small-text">
            {suite.tier !== null && suite.tier !== undefined && suite.tier !== "" ? `Tier ${suite.tier}` : "No tier"}
            {suite.owner ? ` · ${visible(suite.owner)}` : ""}{suite.target ? ` · ${visible(suite.target)}` : ""}
          </p>
        </div>
        <VerdictBadge verdict={suite.verdict} big />
      </header>
      {suite.reason && <p className="reason">{visible(suite.reason)}</p>}
      {!!suite.blocking?.length && (
        <ul className="why">
          {suite.blocking.slice(0, 4).map((rule) => (
            <li key={rule.rule}><VerdictBadge verdict={rule.verdict} /> <span><b>{visible(rule.rule)}</b> <span className="muted clamp2">{visible(rule.reason)}</span></span></li>
          ))}
          {suite.blocking.length > 4 && <li className="muted">and {suite.blocking.length - 4} more</li>}
        </ul>
      )}
      {waivers.map((waiver) => (
        <p key={waiver.id} className="notice">
          <b>Waived</b> {waiver.expires_at ? <>until {moment(waiver.expires_at)} ({relative(waiver.expires_at)})</> : "without an end"}: {visible(waiver.rule)}. {visible(waiver.reason)}
          {waiver.approved_by ? ` Approved by ${visible(waiver.approved_by)}.` : ""}
        </p>
      ))}
      <footer className="muted small-text">
        {suite.finished_at ? <time title={moment(suite.finished_at)}>decided {relative(suite.finished_at)}</time> : "no finished run"}
        {changed && <> · before: {suite.previous_verdict}</>}
        <span className="links">
          <Link to={run}>Evidence</Link>
          <Link to={`${project.page("/gates")}?suite=${encodeURIComponent(suite.suite)}`}>Rules</Link>
        </span>
      </footer>
    </article>
  );
}

/** Suites that decide nothing, in a line: they are measured, not gated. */
function Ungated({ suites }: { suites: OverviewSuite[] }) {
  const project = useProject();
  if (!suites.length) return null;
  return (
    <p className="ungated muted">Without a gate: {suites.map((suite) => <Link key={`${suite.suite}/${suite.target ?? ""}`} to={suite.run_id ? project.page(`/runs/${encodeURIComponent(suite.run_id)}`) : project.page("/suites")}>{visible(suite.suite)}</Link>)}</p>
  );
}

function Quality({ suites }: { suites: OverviewSuite[] }) {
  const project = useProject();
  const shown = suites.filter((suite) => suite.headline);
  if (!shown.length) return null;
  return (
    <Section title="Quality over releases" note="headline metric, its interval, and its history">
      <table className="grid quality">
        <thead><tr><th>Suite</th><th>Metric</th><th className="wide">Now, with its interval</th><th>Over runs</th></tr></thead>
        <tbody>
          {shown.map((suite) => suite.headline && (
            <tr key={`${suite.suite}/${suite.target ?? ""}`}>
              <td className="key1"><Link to={`${project.page("/trends")}?suite=${encodeURIComponent(suite.suite)}&metric=${encodeURIComponent(suite.headline.metric)}`}>{visible(suite.suite)}</Link></td>
              <td data-l="metric">{visible(metricName(suite.headline))}</td>
              <td className="wide"><div className="bar-and-figures"><IntervalBar figure={suite.headline} axis={axisOf([suite.headline])} tone={suite.verdict ?? "plain"} /><Figures figure={suite.headline} /></div></td>
              <td className="spark">
                {(suite.history?.length ?? 0) > 1 ? (
                  <Band small width={180} height={34} title={`${suite.headline.metric} over ${suite.history?.length} runs`}
                    points={(suite.history ?? []).map((point) => ({ id: point.run_id, at: point.at, value: point.value, low: point.low ?? null, high: point.high ?? null, connected: point.comparable ?? true }))} />
                ) : <span className="muted small-text">first run</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Tile({ title, to, tone = "", children }: { title: string; to: string; tone?: string; children: ReactNode }) {
  return (
    <article className={`card tile ${tone}`}>
      <h2><Link to={to}>{title}</Link></h2>
      {children}
    </article>
  );
}

function Safety({ data }: { data: Data }) {
  const project = useProject();
  const open = data.safety.open;
  const total = open.reduce((sum, each) => sum + each.count, 0);
  return (
    <Tile title="Open safety failures" to={`${project.page("/runs")}?verdict=fail`} tone={total ? "bad" : ""}>
      <p className="figure">{count(total)}</p>
      {!open.length && <p className="muted">None in the latest run of each suite.</p>}
      <ul className="rows">
        {open.slice(0, 5).map((each) => (
          <li key={`${each.run_id}${each.metric}`}>
            <Link to={`${project.page(`/runs/${encodeURIComponent(each.run_id)}`)}?status=failed&metric=${encodeURIComponent(each.metric)}`}>{visible(each.metric)}</Link>
            <span className="muted">{visible(each.suite)}</span>
            <span className="end">{each.severity && <span className="pill fail">{visible(each.severity)}</span>} <b>{count(each.count)}</b></span>
          </li>
        ))}
      </ul>
    </Tile>
  );
}

function Judges({ data }: { data: Data }) {
  const project = useProject();
  return (
    <Tile title="Judge health" to={project.page("/suites")}>
      {!data.judges.length && <Empty title="No judge has been measured" command="evalwright calibrate suite.yaml:METRIC --labels labels.csv">Against people's labels, a judge's agreement gets a figure here.</Empty>}
      <ul className="rows">
        {data.judges.map((judge) => (
          <li key={judge.scorer}>
            <b>{visible(judge.scorer)}</b>
            <span>κ {number(judge.kappa)} <span className="muted">{interval(judge.low, judge.high)}{judge.n ? `, n ${count(judge.n)}` : ""}</span></span>
            <span className="end">
              {judge.prompt_current === false && <span className="pill warn">prompt changed since</span>} {judge.drift ? <span className="pill warn">drift</span> : null}
              <span className="muted small-text">{judge.measured_at ? relative(judge.measured_at) : ""}</span>
            </span>
          </li>
        ))}
      </ul>
    </Tile>
  );
}

function Sets({ data }: { data: Data }) {
  const project = useProject();
  const stale = data.sets.filter((set) => set.stale).length;
  return (
    <Tile title="Golden sets" to={project.page("/datasets")} tone={stale ? "wary" : ""}>
      {data.sets.length ? (
        <p className="muted">{stale ? `${stale} of ${data.sets.length} older than their cadence` : data.sets.length === 1 ? "within its cadence" : `all ${data.sets.length} within their cadence`}</p>
      ) : <Empty title="No golden set" command="evalwright dataset create support --from cases.jsonl" />}
      <ul className="rows">
        {data.sets.slice(0, 6).map((set) => (
          <li key={set.name}>
            <Link to={project.page(`/datasets/${encodeURIComponent(set.name)}`)}>{visible(set.name)}</Link>
            <span className="muted">{set.version ? `@${visible(String(set.version))}` : ""} {count(set.cases ?? 0)} cases</span>
            <span className="end">
              {set.stale ? <span className="pill warn">stale</span> : <State state={set.state} />}
              <span className="muted small-text">{typeof set.age_days === "number" ? `${Math.round(set.age_days)} d${set.cadence_days ? ` of ${Math.round(set.cadence_days)}` : ""}` : ""}</span>
            </span>
          </li>
        ))}
      </ul>
    </Tile>
  );
}

function Review({ data }: { data: Data }) {
  const project = useProject();
  const { queues, open, in_progress: busy, adjudication, oldest_at: oldest } = data.review;
  return (
    <Tile title="Review backlog" to={project.page("/review")}>
      <p className="figure">{count(open)}</p>
      <p className="muted">{open ? `open items in ${plural(queues, "queue")}${oldest ? `, the oldest put there ${relative(oldest)}` : ""}` : "nothing waits for a reviewer"}</p>
      <ul className="rows">
        <li>in progress <span className="end"><b>{count(busy)}</b></span></li>
        <li>to adjudicate <span className="end"><b>{count(adjudication)}</b></span></li>
      </ul>
    </Tile>
  );
}

function Spend({ data }: { data: Data }) {
  const project = useProject();
  const { spend } = data;
  return (
    <Tile title="Spend, last 30 days" to={`${project.page("/runs")}?sort=-cost`}>
      <p className="figure">{money(spend.last_30d, spend.currency)}</p>
      <ul className="rows">
        {spend.per_suite.slice(0, 5).map((each) => <li key={each.suite}>{visible(each.suite)} <span className="end">{money(each.cost, spend.currency)}</span></li>)}
      </ul>
    </Tile>
  );
}
