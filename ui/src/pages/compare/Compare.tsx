/** Two to ten runs compared: what moved and how sure that is, which cases flipped, where, and every row of it. */

import { useMemo } from "react";
import { useGet } from "../../api/queries";
import type { Candidate, CompareResult, Mismatch } from "../../api/types";
import { Link, useLocation, useQueryState } from "../../app/router";
import { useProject } from "../../app/session";
import { Page } from "../../components/Page";
import { SavedViews } from "../../components/Views";
import { CopyButton, Loaded } from "../../components/Status";
import { ExportMenu } from "../../components/DataTable";
import { visible } from "../../lib/hidden";
import { moment } from "../../lib/format";
import { CompareRows } from "./CompareRows";
import { Flips } from "./Flips";
import { Pick } from "./Pick";
import { SliceMoves } from "./SliceMoves";
import { Strip } from "./Strip";

export function Compare() {
  const project = useProject();
  const { search } = useLocation();
  const [read, write] = useQueryState();
  const baseline = read("baseline");
  const candidates = useMemo(() => search.getAll("candidate"), [search]);
  const ready = !!baseline && candidates.length > 0;
  const query = useGet<CompareResult>(project.api("/compare"), { baseline, candidate: candidates }, { enabled: ready, keep: true });
  if (!ready || read("pick")) return <Pick baseline={baseline} candidates={candidates} />;
  return (
    <Page wide name="Compare" title="Compare" lead={query.data && <Sides data={query.data} />}
      actions={<>
        <button type="button" onClick={() => write({ pick: "1" }, true)}>Change runs</button>
        <SavedViews page="compare" presets={[]} />
        <ExportMenu table="compare" params={{ ...rowParams(read), baseline, candidate: candidates }} />
        <CopyButton text={window.location.href} label="Copy link" />
      </>}>
      <Loaded query={query} rows={9}>{(data) => <Body data={data} />}</Loaded>
    </Page>
  );
}

/** What the rows are filtered by, as the server reads it. */
export const rowParams = (read: (name: string) => string) => ({
  metric: read("metric"), show: read("show"), flip: read("flip"), slice: read("slice"), q: read("q"), sort: read("sort"),
});

function Sides({ data }: { data: CompareResult }) {
  const project = useProject();
  const run = (side: CompareResult["baseline"]) => <Link to={project.page(`/runs/${encodeURIComponent(side.run_id)}`)} title={side.created_at ? moment(side.created_at) : ""}>{visible(side.run_id)}</Link>;
  return <span className="sides"><span className="side-tag a">A</span> {run(data.baseline)} <span className="muted">({visible(data.baseline.target ?? "")})</span>{data.candidates.map((each, place) => <span key={each.run.run_id}> <span className="side-tag">{letter(place)}</span> {run(each.run)} <span className="muted">({visible(each.run.target ?? "")})</span></span>)}</span>;
}

/** B for the first candidate, C for the second, … */
export const letter = (place: number): string => String.fromCharCode(66 + place);

function Body({ data }: { data: CompareResult }) {
  const [read, write] = useQueryState();
  const place = Math.min(Number(read("side", "0")) || 0, data.candidates.length - 1);
  const candidate = data.candidates[place];
  const folded = read("fold") === "1";
  if (!candidate) return null;
  return (
    <>
      {data.candidates.length > 1 && (
        <div className="segments" role="group" aria-label="Candidate">
          {data.candidates.map((each, index) => <button key={each.run.run_id} type="button" className={index === place ? "on" : ""} onClick={() => write({ side: index ? String(index) : null })}>{letter(index)} {visible(each.run.label ?? each.run.run_id)}</button>)}
        </div>
      )}
      <Warnings candidate={candidate} />
      {!folded && <Advice candidate={candidate} />}
      <Strip candidate={candidate} family={data.family ?? ""} folded={folded} onFold={() => write({ fold: folded ? null : "1" })} />
      <div className={`compare-body ${folded ? "folded" : ""}`}>
        <aside>
          <Flips candidate={candidate} />
          <SliceMoves candidate={candidate} />
        </aside>
        <CompareRows data={data} place={place} />
      </div>
    </>
  );
}

const WEIGHTS: Record<Mismatch["weight"], string> = { breaks: "", limits: "", explains: "info" };

function Warnings({ candidate }: { candidate: Candidate }) {
  const all = candidate.mismatches ?? [];
  const serious = all.filter((each) => each.weight !== "explains");
  const plain = all.filter((each) => each.weight === "explains");
  return (
    <div className="warnings">
      {serious.map((each) => (
        <p key={each.what + each.meaning} className={`notice ${WEIGHTS[each.weight]}`}>
          <b>{each.weight === "breaks" ? "Not comparable" : "Caution"}: {visible(each.what)}.</b> {visible(each.meaning)}
          {(each.baseline || each.candidate) && <span className="muted"> A: {visible(each.baseline ?? "–")} · B: {visible(each.candidate ?? "–")}</span>}
        </p>
      ))}
      {(candidate.reversals ?? []).map((each) => <p key={each.sentence} className="notice"><b>{visible(each.metric)}:</b> {visible(each.sentence)}</p>)}
      {plain.length > 0 && <p className="small-text muted">What was changed: {plain.map((each) => `${visible(each.what)} (${visible(each.baseline || "–")} → ${visible(each.candidate || "–")})`).join("; ")}</p>}
    </div>
  );
}

const TONES: Record<string, string> = { ship: "pass", keep: "fail", "trade-off": "inconclusive", "not enough evidence": "inconclusive", "no difference that matters": "plain", "not comparable": "fail" };

function Advice({ candidate }: { candidate: Candidate }) {
  const advice = candidate.recommendation;
  if (!advice) return null;
  return (
    <details className={`card advice ${TONES[advice.advice] ?? "plain"}`}>
      <summary><b className="word">{visible(advice.advice)}</b> <span>{visible(advice.headline)}</span></summary>
      <ul>{(advice.reasons ?? []).map((reason) => <li key={reason}>{visible(reason)}</li>)}</ul>
      {!!advice.limits?.length && <><h4>What this does not cover</h4><ul className="muted">{advice.limits.map((limit) => <li key={limit}>{visible(limit)}</li>)}</ul></>}
    </details>
  );
}
