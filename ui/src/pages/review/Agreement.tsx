/** How far reviewers agree: every coefficient with its interval, who differs from whom, and on what. */

import { useGet } from "../../api/queries";
import type { Estimate, RubricAgreement } from "../../api/types";
import { useProject } from "../../app/session";
import { Band } from "../../components/Band";
import { IntervalBar, inWords } from "../../components/Estimate";
import { Page, Section } from "../../components/Page";
import { Empty, Loaded } from "../../components/Status";
import { count, interval, number, percent, seconds } from "../../lib/format";
import { visible } from "../../lib/hidden";
import { useQueue } from "./QueuePage";

export interface AgreementData {
  rubrics: RubricAgreement[];
  labels?: number;
  items?: number;
  notes?: string[];
}

export function Agreement({ id }: { id: string }) {
  const project = useProject();
  const queue = useQueue(id);
  const query = useGet<AgreementData>(project.api(`/review/queues/${encodeURIComponent(id)}/agreement`));
  return (
    <Page name="Agreement" title="Agreement" crumbs={[{ text: "Review", to: project.page("/review") }, { text: visible(queue.data?.name ?? id), to: project.page(`/review/${encodeURIComponent(id)}`) }]}>
      <Loaded query={query} rows={8}>{(data) => <AgreementView data={data} />}</Loaded>
    </Page>
  );
}

export function AgreementView({ data }: { data: AgreementData }) {
  const shown = data.rubrics.filter((rubric) => rubric.ratings > 0);
  return (
    <>
      {(data.notes ?? []).map((note) => <p key={note} className="notice">{visible(note)}</p>)}
      {!shown.length && <Empty title="No labels yet">Agreement needs items that at least two reviewers labelled.</Empty>}
      {shown.map((rubric) => <One key={rubric.name} rubric={rubric} />)}
    </>
  );
}

const READINGS: Record<string, string> = { rely: "good enough to rely on", tentative: "only for tentative conclusions", unreliable: "too low to rely on" };
const TONES: Record<string, string> = { rely: "pass", tentative: "warn", unreliable: "fail" };

function One({ rubric }: { rubric: RubricAgreement }) {
  const axis = { low: Math.min(0, ...[rubric.alpha, rubric.fleiss, rubric.gwet_ac, rubric.kappa].map((each) => each?.low ?? each?.value ?? 0)), high: 1 };
  const ordered: [string, string, Estimate | null | undefined][] = [
    ["Krippendorff's alpha", `at the ${rubric.scale} scale; bears missing labels`, rubric.alpha],
    ["Percent agreement", "how often two labels of one item are the same", rubric.percent],
    ["Cohen's kappa", rubric.raters_n > 2 ? "mean over pairs of reviewers" : "two reviewers, chance taken off", rubric.kappa],
    ["Weighted kappa", "near misses count less, by squared distance", rubric.weighted],
    ["Fleiss' kappa", "any number of reviewers", rubric.fleiss],
    ["Gwet's AC", "keeps its meaning when one level is rare", rubric.gwet_ac],
    ["Brennan-Prediger", "chance as if all levels were used alike", rubric.brennan_prediger],
  ];
  return (
    <Section title={visible(rubric.name)} note={`${count(rubric.pairable)} of ${count(rubric.units)} items with two labels or more, ${count(rubric.raters_n)} reviewers, ${count(rubric.ratings)} labels`}
      actions={rubric.reading && <span className={`pill ${TONES[rubric.reading]}`}>{READINGS[rubric.reading] ?? rubric.reading}</span>}>
      {(rubric.warnings ?? []).map((warning) => <p key={warning} className="notice">{visible(warning)}</p>)}
      <table className="grid coefficients">
        <thead><tr><th>Coefficient</th><th className="wide">Interval</th><th className="n">Value</th><th className="n">95 % interval</th><th className="n">Items</th></tr></thead>
        <tbody>
          {ordered.map(([name, words, figure]) => figure && (
            <tr key={name} title={inWords(figure)}>
              <td className="key1">{name}<span className="muted small-text clamp1">{words}</span></td>
              <td className="wide"><IntervalBar figure={figure} axis={axis} whole={axis.low < 0 ? 0 : null} /></td>
              <td className="n"><b>{number(figure.value)}</b></td><td className="n">{interval(figure.low, figure.high)}</td><td className="n" data-l="items">{count(figure.n ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="agreement-grid">
        {!!rubric.levels_in_dispute?.length && <Disputes rubric={rubric} />}
        {rubric.confusion && <Confusion rubric={rubric} />}
        {(rubric.pairs?.length ?? 0) > 0 && <Pairs rubric={rubric} />}
        {!!rubric.raters?.length && <Raters rubric={rubric} />}
        {(rubric.over_time?.length ?? 0) > 1 && <OverTime rubric={rubric} />}
      </div>
    </Section>
  );
}

function Disputes({ rubric }: { rubric: RubricAgreement }) {
  return (
    <div className="card"><h3>What they disagree on</h3>
      <table className="plain-table"><thead><tr><th>Levels</th><th className="n">Times</th><th className="n">Of all disagreements</th></tr></thead>
        <tbody>{(rubric.levels_in_dispute ?? []).slice(0, 10).map((each) => <tr key={each.level_a + each.level_b}><td>{visible(each.level_a)} or {visible(each.level_b)}</td><td className="n">{count(Math.round(each.count))}</td><td className="n">{percent(each.share)}</td></tr>)}</tbody>
      </table>
    </div>
  );
}

function Confusion({ rubric }: { rubric: RubricAgreement }) {
  const { levels, matrix } = rubric.confusion ?? { levels: [], matrix: [] };
  const most = Math.max(1, ...matrix.flat());
  return (
    <div className="card scroll-x"><h3>Label against label</h3>
      <table className="confusion"><thead><tr><th />{levels.map((level) => <th key={level}>{visible(level)}</th>)}</tr></thead>
        <tbody>{matrix.map((row, place) => <tr key={levels[place]}><th>{visible(levels[place] ?? "")}</th>{row.map((value, index) => <td key={index} className={`heat${Math.ceil((5 * value) / most)} ${place === index ? "same" : ""}`}>{count(Math.round(value))}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

function Pairs({ rubric }: { rubric: RubricAgreement }) {
  const sorted = [...(rubric.pairs ?? [])].sort((a, b) => (a.kappa.value ?? 1) - (b.kappa.value ?? 1));
  return (
    <div className="card"><h3>Pairs of reviewers, least agreement first</h3>
      <table className="plain-table"><thead><tr><th>Pair</th><th className="n">Items</th><th className="n">Same</th><th className="n">Kappa</th><th className="n">Interval</th></tr></thead>
        <tbody>{sorted.slice(0, 15).map((pair) => <tr key={pair.a + pair.b} title={inWords(pair.kappa)}><td>{visible(pair.a)} and {visible(pair.b)}</td><td className="n">{count(pair.n)}</td><td className="n">{percent(pair.percent.value)}</td><td className="n"><b>{number(pair.kappa.value)}</b></td><td className="n">{interval(pair.kappa.low, pair.kappa.high)}</td></tr>)}</tbody>
      </table>
    </div>
  );
}

function Raters({ rubric }: { rubric: RubricAgreement }) {
  return (
    <div className="card scroll-x"><h3>Reviewers</h3>
      <table className="plain-table"><thead><tr><th>Reviewer</th><th className="n">Labels</th><th className="n">Same as others</th><th className="n" title="mean of their values minus the others'">Bias</th><th className="n">Known items right</th><th className="n">Chose A</th><th className="n">Median time</th></tr></thead>
        <tbody>{(rubric.raters ?? []).map((rater) => <tr key={rater.rater}><td>{visible(rater.rater)}</td><td className="n">{count(rater.n)}</td><td className="n" title={rater.agreement ? inWords(rater.agreement) : ""}>{percent(rater.agreement?.value)}</td><td className="n" title={rater.bias ? inWords(rater.bias) : ""}>{rater.bias ? `${number(rater.bias.value)} ${interval(rater.bias.low, rater.bias.high)}` : "–"}</td><td className="n">{percent(rater.calibration_accuracy?.value)}</td><td className="n">{percent(rater.share_a?.value)}</td><td className="n">{seconds(rater.median_seconds)}</td></tr>)}</tbody>
      </table>
    </div>
  );
}

function OverTime({ rubric }: { rubric: RubricAgreement }) {
  return (
    <div className="card"><h3>Alpha over time</h3>
      <Band title={`alpha of ${rubric.name} over time`} height={170} width={560} points={(rubric.over_time ?? []).map((period) => ({ id: String(period.from_at), at: period.to_at, value: period.alpha.value, low: period.alpha.low ?? null, high: period.alpha.high ?? null, connected: true, words: `${period.n} items` }))} />
    </div>
  );
}
