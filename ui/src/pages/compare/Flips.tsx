/** The flip matrix: how verdicts moved from A to B, each moving cell a filter of the rows. */

import type { Candidate } from "../../api/types";
import { useQueryState } from "../../app/router";
import { count } from "../../lib/format";
import { visible } from "../../lib/hidden";

export function Flips({ candidate }: { candidate: Candidate }) {
  const [read, write] = useQueryState();
  const metric = read("metric");
  const flips = (candidate.flips ?? []).find((each) => each.metric === metric) ?? (candidate.flips ?? []).find((each) => !each.metric) ?? candidate.flips?.[0];
  if (!flips) return null;
  const flip = read("flip");
  const cell = (name: "pass_fail" | "fail_pass", value: number, words: string) => (
    <button type="button" className={`flip ${name}`} aria-pressed={flip === name} disabled={!value} onClick={() => write({ flip: flip === name ? null : name, metric: flips.metric || null, show: null })} title={`${words}: show these cases`}>
      <b>{count(value)}</b><span>{words}</span>
    </button>
  );
  if (flips.verdicts === false) {
    return (
      <div className="card">
        <h4>{visible(flips.metric)}: cases that moved</h4>
        <div className="flips two">{cell("pass_fail", flips.pass_fail, "got worse")}{cell("fail_pass", flips.fail_pass, "got better")}</div>
      </div>
    );
  }
  return (
    <div className="card">
      <h4>{flips.metric ? visible(flips.metric) : "Row verdict"}: A down, B across</h4>
      <div className="flips">
        <span /><span className="axis">B passes</span><span className="axis">B fails</span>
        <span className="axis">A passes</span>
        <span className="flip same"><b>{count(flips.both)}</b><span>both pass</span></span>
        {cell("pass_fail", flips.pass_fail, "broke")}
        <span className="axis">A fails</span>
        {cell("fail_pass", flips.fail_pass, "fixed")}
        <span className="flip same"><b>{count(flips.neither)}</b><span>both fail</span></span>
      </div>
    </div>
  );
}
