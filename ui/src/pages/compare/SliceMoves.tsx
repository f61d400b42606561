/** The slices, the worst adjusted difference first; a click filters the rows. */

import type { Candidate, PairedFigure } from "../../api/types";
import { useQueryState } from "../../app/router";
import { DeltaBar } from "../../components/Estimate";
import { count, pValue, signed } from "../../lib/format";
import { visible } from "../../lib/hidden";
import { pairWords, spanOf } from "./Strip";

/** How bad a slice's move is: clear losses first, then the largest loss. */
function badness(figure: PairedFigure): number {
  const sign = figure.higher_is_better === false ? -1 : 1;
  const gain = sign * (figure.difference ?? 0);
  const p = figure.p_adjusted ?? figure.p ?? 1;
  return gain < 0 ? gain * (1 + 10 * (1 - p)) : gain;
}

export function SliceMoves({ candidate }: { candidate: Candidate }) {
  const [read, write] = useQueryState();
  const metric = read("metric") || candidate.slices?.[0]?.metric;
  const figures = (candidate.slices ?? []).filter((each) => each.metric === metric && each.difference !== null).sort((a, b) => badness(a) - badness(b));
  const chosen = read("slice");
  if (!figures.length) return null;
  const span = spanOf(figures.filter((each) => (each.n ?? 0) >= 20).length ? figures.filter((each) => (each.n ?? 0) >= 20) : figures);
  return (
    <div className="card slice-moves">
      <h4>Slices by {visible(metric ?? "")}, worst first</h4>
      <ul>
        {figures.slice(0, 40).map((figure) => (
          <li key={figure.slice}>
            <button type="button" aria-pressed={chosen === figure.slice} onClick={() => write({ slice: chosen === figure.slice ? null : figure.slice ?? null })} title={pairWords(figure)}>
              <span className="name">{visible(figure.slice ?? "")} <span className="muted">{count(figure.n ?? 0)}</span></span>
              <span className="n">{signed(figure.difference, figure.unit, figure.share)}</span>
              <DeltaBar difference={figure.difference} low={figure.low} high={figure.high} margin={null} span={span} better={figure.higher_is_better} tone={figure.verdict === "worse" ? "fail" : figure.verdict === "better" ? "pass" : (figure.n ?? 0) < 20 ? "small" : "plain"} words={pairWords(figure)} />
              <span className="n muted">p {pValue(figure.p_adjusted ?? figure.p)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
