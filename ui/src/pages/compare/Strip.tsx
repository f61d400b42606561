/** The verdict strip: per metric A → B, the difference with its interval, zero line and margin, p, pairs, what could be seen. */

import type { Candidate, PairedFigure } from "../../api/types";
import { useQueryState } from "../../app/router";
import { DeltaBar } from "../../components/Estimate";
import { count, metricName, number, pValue, signed } from "../../lib/format";
import { visible } from "../../lib/hidden";

const WORDS: Record<string, string> = { better: "▲ better", worse: "▼ worse", changed: "◆ changed", unclear: "? unclear" };
const TONES: Record<string, string> = { better: "pass", worse: "fail", changed: "plain", unclear: "plain" };

/** How far the axis of a metric's differences reaches to both sides. */
export function spanOf(figures: readonly PairedFigure[]): number {
  const ends = figures.flatMap((each) => [each.low, each.high, each.difference, (each.margin ?? 0) * 1.4]).filter((v): v is number => typeof v === "number" && Number.isFinite(v));
  return Math.max(...ends.map(Math.abs), 1e-9) * 1.05;
}

/** A paired figure in words, for titles and screen readers. */
export function pairWords(figure: PairedFigure): string {
  const words = [`${metricName({ metric: figure.metric, statistic: figure.statistic ?? "mean" })}${figure.slice ? ` for ${figure.slice}` : ""}: ${signed(figure.difference, figure.unit, figure.share)}`];
  if (typeof figure.low === "number" && typeof figure.high === "number") words.push(`with ${Math.round((figure.level ?? 0.95) * 100)} % confidence between ${signed(figure.low, figure.unit, figure.share)} and ${signed(figure.high, figure.unit, figure.share)}`);
  words.push(`${count(figure.n ?? 0)} pairs, ${count(figure.wins ?? 0)} better, ${count(figure.losses ?? 0)} worse, ${count(figure.ties ?? 0)} the same`);
  if (typeof figure.p === "number") words.push(`p ${pValue(figure.p)}${typeof figure.p_adjusted === "number" ? `, adjusted ${pValue(figure.p_adjusted)}` : ""} (${figure.test || figure.method})`);
  if (figure.note) words.push(figure.note);
  return words.join("; ");
}

interface StripProps {
  candidate: Candidate;
  family: string;
  folded: boolean;
  onFold: () => void;
}

export function Strip({ candidate, family, folded, onFold }: StripProps) {
  const [read, write] = useQueryState();
  const shares = spanOf(candidate.metrics.filter((each) => each.share));
  const chosen = read("metric");
  const shown = folded ? candidate.metrics.filter((each) => each.metric === chosen) : candidate.metrics;
  return (
    <div className="strip card">
      <table>
        <thead>
          <tr>
            <th>Metric</th><th className="n">A → B</th><th className="n">Difference</th><th className="bar-col">95 % interval around no change</th>
            <th>Verdict</th><th className="n" title={family}>p adj.</th><th className="n">Pairs</th><th className="n" title="smallest difference a comparison like this one shows with 80 % power">Could see</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((figure) => {
            const verdict = figure.verdict ?? "unclear";
            const active = chosen === figure.metric;
            return (
              <tr key={`${figure.metric}${figure.statistic ?? ""}`} className={active ? "current" : ""} title={pairWords(figure)}>
                <td><button type="button" className="link" aria-pressed={active} onClick={() => write({ metric: active ? null : figure.metric, flip: null })}>{visible(metricName({ metric: figure.metric, statistic: figure.statistic ?? "mean" }))}</button>{figure.higher_is_better === false && <span className="muted"> ↓</span>}</td>
                <td className="n">{number(figure.baseline, figure.unit === "s" ? "s" : "")} → <b>{number(figure.candidate, figure.unit)}</b></td>
                <td className="n"><b>{signed(figure.difference, figure.unit, figure.share)}</b></td>
                <td className="bar-col"><DeltaBar difference={figure.difference} low={figure.low} high={figure.high} margin={figure.margin ?? null} span={figure.share ? shares : spanOf([figure])} better={figure.higher_is_better} tone={TONES[verdict] ?? "plain"} words={pairWords(figure)} /></td>
                <td><span className={`change ${verdict}`}>{WORDS[verdict] ?? verdict}</span>{figure.no_worse === true && verdict === "unclear" && <span className="no-worse" title="a loss beyond the margin is ruled out"> not worse</span>}</td>
                <td className="n" data-l="p">{pValue(figure.p_adjusted ?? figure.p)}</td>
                <td className="n" data-l="pairs">{count(figure.n ?? 0)}</td>
                <td className="n muted" data-l="could see">{figure.mde === null || figure.mde === undefined ? "–" : `±${signed(figure.mde, figure.unit, figure.share).slice(1)}`}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <button type="button" className="link fold-strip" onClick={onFold}>{folded ? "Show the figures ( f )" : "Fold the figures ( f )"}</button>
    </div>
  );
}
