/** A trace as a tree with a timeline: children come on demand, only the rows in sight are in the page. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { SpanDetail, SpanRow, TracePage } from "../api/types";
import { useKeys } from "../app/keys";
import { useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { count, money, seconds } from "../lib/format";
import { visible } from "../lib/hidden";
import { timeAxis } from "../lib/timeline";
import { turnsOf } from "../lib/turns";
import { Loading, Problem } from "./Status";
import { Characters } from "./Text";
import { Value } from "./Value";
import { Outcome } from "./Verdict";

const KINDS = new Set(["llm", "tool", "retrieval"]);
const PAGE = 500;
const ROW = 28;

interface Branch {
  items: SpanRow[];
  next: string | null;
  loading: boolean;
}

interface Shown {
  span: SpanRow;
  depth: number;
  /** Set on the row after which more of this branch can be loaded. */
  moreOf?: string;
}

/** The branches read so far, and which are open. */
function useTree(path: string, trial: number) {
  const [branches, setBranches] = useState<Record<string, Branch>>({});
  const [open, setOpen] = useState<Set<string>>(new Set());
  const [head, setHead] = useState<TracePage | null>(null);
  const [error, setError] = useState<unknown>(null);
  const busy = useRef(new Set<string>());
  const load = useCallback(async (parent: string, after = "") => {
    const key = `${parent}/${after}`;
    if (busy.current.has(key)) return;
    busy.current.add(key);
    try {
      const page = await api.get<TracePage>(path, { trial: String(trial), parent, after, limit: PAGE });
      setBranches((now) => ({ ...now, [parent]: { items: [...(after ? now[parent]?.items ?? [] : []), ...page.items], next: page.next ?? null, loading: false } }));
      if (!parent) setHead(page);
      const only = page.items[0];
      if (page.items.length === 1 && only?.children) setOpen((now) => new Set(now).add(only.id));
    } catch (caught) {
      setError(caught);
    } finally {
      busy.current.delete(key);
    }
  }, [path, trial]);
  useEffect(() => {
    setBranches({});
    setOpen(new Set());
    setHead(null);
    setError(null);
    void load("");
  }, [load]);
  useEffect(() => {
    for (const id of open) if (!branches[id]) void load(id);
  }, [open, branches, load]);
  const toggle = (id: string, wanted?: boolean) => setOpen((now) => {
    const next = new Set(now);
    if (wanted ?? !next.has(id)) next.add(id);
    else next.delete(id);
    return next;
  });
  return { branches, open, head, error, load, toggle };
}

function flatten(branches: Record<string, Branch>, open: Set<string>): Shown[] {
  const rows: Shown[] = [];
  const stack: { parent: string; at: number; depth: number }[] = [{ parent: "", at: 0, depth: 0 }];
  while (stack.length) {
    const top = stack[stack.length - 1];
    if (!top) break;
    const branch = branches[top.parent];
    const span = branch?.items[top.at];
    if (!span) {
      stack.pop();
      continue;
    }
    top.at += 1;
    const last = top.at === branch.items.length && branch.next;
    rows.push(last ? { span, depth: top.depth, moreOf: top.parent } : { span, depth: top.depth });
    if (open.has(span.id) && span.children) stack.push({ parent: span.id, at: 0, depth: top.depth + 1 });
  }
  return rows;
}

export function Trace({ run, caseId, trial }: { run: string; caseId: string; trial: number }) {
  const project = useProject();
  const path = project.api(`/runs/${encodeURIComponent(run)}/cases/${encodeURIComponent(caseId)}/trace`);
  const tree = useTree(path, trial);
  const [read, write] = useQueryState();
  const [compress, setCompress] = useState(true);
  const chosen = read("span");
  const rows = useMemo(() => flatten(tree.branches, tree.open), [tree.branches, tree.open]);
  const axis = useMemo(() => timeAxis(rows.map((row) => row.span), tree.head?.duration_s ?? 0, compress), [rows, tree.head, compress]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 20 });
  const items = virtual.getVirtualItems();
  const last = rows[items.at(-1)?.index ?? -1];
  useEffect(() => {
    const near = rows.slice(items[0]?.index ?? 0, (items.at(-1)?.index ?? 0) + 1).find((row) => row.moreOf !== undefined);
    if (near?.moreOf !== undefined) void tree.load(near.moreOf, tree.branches[near.moreOf]?.next ?? "");
  }, [last, rows]);
  const at = rows.findIndex((row) => row.span.id === chosen);
  const move = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (!row) return;
    write({ span: row.span.id });
    virtual.scrollToIndex(rows.indexOf(row), { align: "auto" });
  };
  const here = rows[at];
  useKeys("Trace", [
    { key: "ArrowDown", what: "next span", run: () => move(at + 1) },
    { key: "ArrowUp", what: "span before", run: () => move(at < 0 ? 0 : at - 1) },
    { key: "ArrowRight", what: "open the span", run: () => here && (tree.open.has(here.span.id) ? move(at + 1) : tree.toggle(here.span.id, true)) },
    { key: "ArrowLeft", what: "close it, or go to its parent", run: () => {
      if (!here) return;
      if (tree.open.has(here.span.id)) tree.toggle(here.span.id, false);
      else move(rows.findIndex((row) => row.span.id === here.span.parent));
    } },
  ]);
  if (tree.error) return <Problem error={tree.error} />;
  if (!tree.head) return <Loading rows={6} />;
  return (
    <div className="trace">
      <div className="trace-head">
        <span className="muted">{count(tree.head.spans_total ?? tree.head.total)} spans, {seconds(tree.head.duration_s)}{axis.hidden > 0 ? `; ${seconds(axis.hidden)} of waiting folded` : ""}</span>
        <label className="check"><input type="checkbox" checked={compress} onChange={(event) => setCompress(event.target.checked)} /> fold idle gaps</label>
      </div>
      <div className={`trace-panes ${chosen ? "split" : ""}`}>
        <div className="trace-rows" ref={box} role="tree" aria-label="Trace" tabIndex={0}>
          <div className="trace-space" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = rows[item.index];
              if (!row) return null;
              const { span, depth } = row;
              return (
                <div key={span.id} role="treeitem" aria-level={depth + 1} aria-selected={span.id === chosen} aria-expanded={span.children ? tree.open.has(span.id) : undefined}
                  className={`span-row ${span.id === chosen ? "chosen" : ""} ${span.error ? "bad" : ""}`} style={{ transform: `translateY(${item.start}px)` }} onClick={() => write({ span: span.id })}>
                  <span className="span-name" style={{ paddingLeft: Math.min(depth, 24) * 14 }}>
                    {span.children ? (
                      <button type="button" className="twist" tabIndex={-1} aria-label={tree.open.has(span.id) ? "close" : "open"} onClick={(event) => { event.stopPropagation(); tree.toggle(span.id); }}>{tree.open.has(span.id) ? "▾" : "▸"}</button>
                    ) : <span className="twist" />}
                    <span className={`kind ${KINDS.has(span.kind) ? `kind-${span.kind}` : ""}`}>{visible(span.kind)}</span> <Characters text={span.name} />
                    {span.children > 0 && <span className="muted"> {count(span.below ?? span.children)}</span>}
                    {(span.scores ?? []).map((score) => <span key={score.metric} className="pin" title={visible(`${score.metric} ${score.note ?? ""}`)}><Outcome passed={score.passed} /> {visible(score.metric)}</span>)}
                    {span.error && <span className="pill fail">error</span>}
                  </span>
                  <span className="span-time n">{seconds(span.duration_s)}</span>
                  <span className="lane">{span.started_s !== null && span.duration_s !== null && <span className="lane-bar" style={axis.place(span.started_s, span.duration_s)} />}</span>
                </div>
              );
            })}
          </div>
        </div>
        {chosen && <SpanPane path={path} trial={trial} id={chosen} onClose={() => write({ span: null })} />}
      </div>
    </div>
  );
}

function SpanPane({ path, trial, id, onClose }: { path: string; trial: number; id: string; onClose: () => void }) {
  const query = useGet<SpanDetail>(`${path}/${encodeURIComponent(id)}`, { trial: String(trial) }, { keep: true });
  const data = query.data;
  return (
    <div className="span-pane card">
      <header><b>{data ? <Characters text={data.row.name} /> : "…"}</b><button type="button" className="icon" aria-label="close" onClick={onClose}>✕</button></header>
      {query.isError && <Problem error={query.error} />}
      {data && (
        <>
          <p className="muted small-text">{visible(data.row.kind)} · {seconds(data.row.duration_s)}{data.row.tokens ? ` · ${count(data.row.tokens)} tokens` : ""}{typeof data.row.cost === "number" ? ` · ${money(data.row.cost)}` : ""}</p>
          {data.row.error && <div className="problem"><Characters text={data.row.error} /></div>}
          {(data.row.scores ?? []).map((score) => <p key={score.metric} className="pin"><Outcome passed={score.passed} /> {visible(score.metric)} <span className="muted">{visible(score.note ?? "")}</span></p>)}
          <h4>{turnsOf(data.input) ? "Conversation" : "Input"}</h4><Value value={data.input ?? "(nothing)"} />
          <h4>Output</h4><Value value={data.output ?? "(nothing)"} />
        </>
      )}
    </div>
  );
}
