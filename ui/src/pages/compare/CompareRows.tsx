/** Every case of the comparison in dense rows, the largest difference first, with the words that changed. */

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { usePaged } from "../../api/queries";
import type { CompareResult, CompareRow, CompareSide, PairedFigure } from "../../api/types";
import { useKeys } from "../../app/keys";
import { Link, navigate, useQueryState } from "../../app/router";
import { useProject } from "../../app/session";
import { ActiveFilters, SearchBox } from "../../components/Filters";
import { Empty, Loading, Problem } from "../../components/Status";
import { Line, Text } from "../../components/Text";
import { Outcome } from "../../components/Verdict";
import { WordDiff } from "../../components/WordDiff";
import { count, money, number, seconds, signed } from "../../lib/format";
import { visible } from "../../lib/hidden";
import { AddToGolden } from "../CaseActions";
import { letter, rowParams } from "./Compare";
import { NoteDialog } from "../Notes";

const DIFFS = ["baseline", "expected", "off"] as const;
type Against = (typeof DIFFS)[number];

interface RowsProps {
  data: CompareResult;
  place: number;
}

export function CompareRows({ data, place }: RowsProps) {
  const project = useProject();
  const [read, write] = useQueryState();
  const candidates = data.candidates.map((each) => each.run.run_id);
  const ordered = [candidates[place] ?? "", ...candidates.filter((_, index) => index !== place)];
  const params = { ...rowParams(read), baseline: data.baseline.run_id, candidate: candidates };
  const page = usePaged<CompareRow>(project.api("/compare/rows"), params);
  const against = (read("diff") || "baseline") as Against;
  const [open, setOpen] = useState<Set<string>>(new Set());
  const [dialog, setDialog] = useState<"" | "golden" | "note">("");
  const at = page.rows.findIndex((row) => row.case_id === read("row"));
  const here = page.rows[at];
  const figure = data.candidates[place]?.metrics.find((each) => each.metric === read("metric"));
  const shownRun = ordered[0] ?? "";
  const toggle = (id: string) => setOpen((now) => {
    const next = new Set(now);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const list = useRowList(page.rows.length, at, (index) => page.rows[index]?.case_id ?? String(index));
  const move = (to: number) => {
    const row = page.rows[Math.max(0, Math.min(page.rows.length - 1, to))];
    if (row) write({ row: row.case_id });
  };
  const caseAt = (id: string, view = "") => `${project.page(`/runs/${encodeURIComponent(shownRun)}/cases/${encodeURIComponent(id)}`)}${view}`;
  useKeys("Rows", [
    { key: "j", what: "next row", run: () => move(at + 1) },
    { key: "k", what: "row before", run: () => move(at < 0 ? 0 : at - 1) },
    { key: "d", what: "word diff against the baseline, the expectation, off", run: () => write({ diff: DIFFS[(DIFFS.indexOf(against) + 1) % DIFFS.length] ?? null }) },
    { key: "x", what: "open the row", run: () => here && toggle(here.case_id) },
    { key: "r", what: "regressions only", run: () => write({ show: read("show") === "regressions" ? null : "regressions", flip: null }) },
    { key: "n", what: "note on this case", run: () => here && setDialog("note") },
    { key: "g", what: "add this case to a golden set", run: () => here && setDialog("golden") },
    { key: "t", what: "trace of this case", run: () => here && navigate(caseAt(here.case_id, "?view=trace")) },
    { key: "Enter", what: "open the case's page", run: () => here && navigate(caseAt(here.case_id)) },
    { key: "f", what: "fold the figures", run: () => write({ fold: read("fold") ? null : "1" }) },
  ]);
  useEffect(() => {
    if (list.last >= page.rows.length - 15 && page.hasMore) page.more();
  }, [list.last, page.rows.length, page.hasMore]);
  return (
    <div className="compare-rows">
      <div className="filters">
        <SearchBox placeholder="Search in cases  ( / )" />
        <div className="segments" role="group" aria-label="Rows shown">
          {(["all", "regressions", "improvements", "changed"] as const).map((show) => <button key={show} type="button" className={(read("show") || "all") === show ? "on" : ""} onClick={() => write({ show: show === "all" ? null : show, flip: null })}>{show}</button>)}
        </div>
        <select aria-label="Word diff against" value={against} onChange={(event) => write({ diff: event.target.value === "baseline" ? null : event.target.value })}>
          <option value="baseline">diff against baseline</option><option value="expected">diff against expected</option><option value="off">no diff</option>
        </select>
        <select aria-label="Sort" value={read("sort")} onChange={(event) => write({ sort: event.target.value })}>
          <option value="">largest difference first</option><option value="delta">worst first</option><option value="-delta">best first</option><option value="id">by case</option>
        </select>
        <span className="muted small-text">{count(page.total ?? page.rows.length)} cases</span>
      </div>
      <ActiveFilters names={{ metric: "metric", flip: "moved", slice: "slice", q: "search" }} />
      {page.error ? <Problem error={page.error} retry={page.retry} /> : page.loading ? <Loading rows={10} /> : !page.rows.length ? <Empty title="No case matches">Take off a filter to see more.</Empty> : (
        <div className={`compare-list ${page.fetching ? "stale" : ""}`} role="list" aria-label="Cases" ref={list.box} style={{ height: list.size }}>
          {list.items.map((item) => {
            const row = page.rows[item.index];
            return row && (
              <div key={item.key} role="listitem" data-index={item.index} ref={list.measure} className={`compare-row ${item.index === at ? "current" : ""}`} style={{ transform: `translateY(${item.start - list.offset}px)` }} onClick={(event) => { if (!(event.target as HTMLElement).closest("a,button") && !window.getSelection()?.toString()) write({ row: row.case_id }); }}>
                <Dense row={row} order={ordered} against={against} figure={figure} href={caseAt(row.case_id)} onOpen={() => toggle(row.case_id)} open={open.has(row.case_id)} />
                {open.has(row.case_id) && <Full row={row} order={ordered} data={data} against={against} />}
              </div>
            );
          })}
        </div>
      )}
      {dialog === "golden" && here && <AddToGolden run={shownRun} id={here.case_id} open onClose={() => setDialog("")} />}
      {dialog === "note" && here && <NoteDialog run={shownRun} id={here.case_id} onClose={() => setDialog("")} />}
    </div>
  );
}

/** The rows in sight of a long list in the page's own scroll. */
function useRowList(size: number, current: number, keyOf: (index: number) => string) {
  const box = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const measured = (box.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
    if (Math.abs(measured - offset) > 2) setOffset(measured);
  });
  const virtual = useWindowVirtualizer({ count: size, estimateSize: () => 47, overscan: 12, scrollMargin: offset, getItemKey: keyOf });
  useEffect(() => {
    if (current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [current]);
  const items = virtual.getVirtualItems();
  return { box, offset, items, size: virtual.getTotalSize(), measure: virtual.measureElement, last: items.at(-1)?.index ?? -1 };
}

const textOf = (side: CompareSide | undefined): string => {
  if (!side) return "";
  if (side.error) return typeof side.error === "string" ? side.error : `${side.error.kind}: ${side.error.message ?? ""}`;
  return typeof side.output === "string" ? side.output : side.output === null || side.output === undefined ? "" : JSON.stringify(side.output);
};

interface DenseProps {
  row: CompareRow;
  order: string[];
  against: Against;
  figure: PairedFigure | undefined;
  href: string;
  open: boolean;
  onOpen: () => void;
}

function Dense({ row, order, against, figure, href, open, onOpen }: DenseProps) {
  const base = row.sides[0];
  const sides = order.map((id) => row.sides.find((side) => side.run_id === id));
  const shown = sides[0];
  const delta = sides.length > 1 ? row.delta : shown?.delta ?? row.delta;
  const sign = figure?.higher_is_better === false ? -1 : 1;
  const tone = !delta ? "" : sign * delta > 0 ? "good-text" : "error-text";
  return (
    <div className="dense">
      <button type="button" className="twist" aria-expanded={open} aria-label={open ? "close the row" : "open the row"} onClick={onOpen}>{open ? "▾" : "▸"}</button>
      <span className="moves" title="A → B"><Outcome passed={base?.passed} error={base?.error} /><span aria-hidden="true">→</span>{sides.map((side, index) => <Outcome key={index} passed={side?.passed} error={side?.error} />)}</span>
      <Link className="cid" to={href}>{visible(row.case_id)}</Link>
      <span className="clamp2 ask muted"><Line value={row.input} width={260} /></span>
      <span className="clamp2 out"><Changed row={row} side={shown} against={against} dense /></span>
      <span className="n values">{number(base?.value, figure?.unit)} → {sides.map((side, index) => <span key={index}>{index ? " · " : ""}{number(side?.value, figure?.unit)}</span>)}</span>
      <span className={`n delta ${tone}`}>{delta === null || delta === undefined ? "–" : signed(delta, figure?.unit ?? "")}</span>
    </div>
  );
}

function Changed({ row, side, against, dense = false }: { row: CompareRow; side: CompareSide | undefined; against: Against; dense?: boolean }) {
  const text = textOf(side);
  if (side?.error) return <span className="warn-text"><Line value={text} /></span>;
  if (against === "baseline") return <WordDiff before={textOf(row.sides[0])} after={text} dense={dense} />;
  if (against === "expected" && row.expected) return <WordDiff before={row.expected} after={text} dense={dense} />;
  return <Line value={text} width={400} />;
}

function Full({ row, order, data, against }: { row: CompareRow; order: string[]; data: CompareResult; against: Against }) {
  const names = new Map(data.candidates.map((each, index) => [each.run.run_id, `${letter(index)} ${each.run.label ?? each.run.run_id}`]));
  const base = row.sides[0];
  const facts = (side: CompareSide | undefined) => [seconds(side?.latency_s), money(side?.cost)].filter((each) => each !== "–").join(" · ");
  return (
    <div className="full">
      <div className="full-ask"><div><h4>Input</h4><Text value={row.input ?? ""} /></div>{row.expected !== null && row.expected !== undefined && <div><h4>Expected</h4><Text value={row.expected} /></div>}</div>
      <div className="full-sides">
        <div><h4><span className="side-tag a">A</span> {visible(data.baseline.label ?? data.baseline.run_id)} <span className="muted">{facts(base)}</span></h4><Text value={textOf(base)} /></div>
        {order.map((id) => {
          const side = row.sides.find((each) => each.run_id === id);
          return <div key={id}><h4><span className="side-tag">{(names.get(id) ?? "B")[0]}</span> {visible((names.get(id) ?? id).slice(2))} <span className="muted">{facts(side)}</span></h4><div className="text"><Changed row={row} side={side} against={against} /></div></div>;
        })}
      </div>
    </div>
  );
}
