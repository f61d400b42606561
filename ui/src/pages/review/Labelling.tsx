/** The labelling screen: conversation left, rubric right; everything by keyboard, nothing that tells who answered. */

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, api } from "../../api/client";
import type { NextItem, Queue, ReviewItem, SpanNote, Submitted } from "../../api/types";
import { useKeys, type Key } from "../../app/keys";
import { Link } from "../../app/router";
import { useProject } from "../../app/session";
import { Page } from "../../components/Page";
import { Loaded, Loading, Problem } from "../../components/Status";
import { visible } from "../../lib/hidden";
import { Shown } from "./Shown";
import { RubricPanel } from "./RubricPanel";
import { choicesOf, needsReason } from "./choices";
import { useQueue } from "./QueuePage";
import { selectedSpan } from "./Selectable";

export interface Work {
  answers: Record<string, string>;
  rationale: string;
  spans: SpanNote[];
}

const EMPTY: Work = { answers: {}, rationale: "", spans: [] };

export function Labelling({ id }: { id: string }) {
  const project = useProject();
  const query = useQueue(id);
  return (
    <Page wide name={query.data ? `Label ${query.data.name}` : "Label"} title={query.data ? visible(query.data.name) : "Label"} crumbs={[{ text: "Review", to: project.page("/review") }]}>
      <Loaded query={query}>{(queue) => <Desk queue={queue} />}</Loaded>
    </Page>
  );
}

const workOf = (item: ReviewItem | null | undefined): Work => ({ answers: item?.draft?.answers ?? {}, rationale: item?.draft?.rationale ?? "", spans: item?.draft?.spans ?? [] });

/** Seconds the reader has spent on the item, not counting time in other windows. */
function useStopwatch(item: string | undefined): () => number {
  const spent = useRef(0);
  const since = useRef(performance.now());
  useEffect(() => {
    spent.current = 0;
    since.current = performance.now();
    const change = () => {
      if (document.hidden) spent.current += performance.now() - since.current;
      else since.current = performance.now();
    };
    document.addEventListener("visibilitychange", change);
    return () => document.removeEventListener("visibilitychange", change);
  }, [item]);
  return () => Math.round((spent.current + (document.hidden ? 0 : performance.now() - since.current)) / 100) / 10;
}

function Desk({ queue }: { queue: Queue }) {
  const project = useProject();
  const root = project.api("/review");
  const [item, setItem] = useState<ReviewItem | null>(null);
  const [nothing, setNothing] = useState<NextItem | null>(null);
  const [work, setWork] = useState<Work>(EMPTY);
  const [focus, setFocus] = useState(0);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(true);
  const [undo, setUndo] = useState<Submitted | null>(null);
  const [saved, setSaved] = useState("");
  const rationale = useRef<HTMLTextAreaElement>(null);
  const seconds = useStopwatch(item?.id);
  const key = useRef("");

  const guarded = useCallback(async (deed: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await deed();
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, "error", String(caught)));
    } finally {
      setBusy(false);
    }
  }, []);

  const show = (next: NextItem) => {
    setItem(next.item ?? null);
    setNothing(next.item ? null : next);
    setWork(workOf(next.item));
  };
  const load = useCallback(async () => {
    const next = await api.post<NextItem>(`${root}/queues/${encodeURIComponent(queue.id)}/next`);
    show(next);
    setFocus(0);
    setSaved("");
    key.current = crypto.randomUUID?.() ?? String(Math.random());
    window.scrollTo(0, 0);
  }, [root, queue.id]);

  useEffect(() => void guarded(load), [load, guarded]);
  useAutosave(root, item, work, setSaved);
  useLease(root, item, queue);

  const rubrics = item?.rubrics ?? queue.rubrics;
  const act = (what: string, body: unknown) => guarded(async () => {
    if (!item) return;
    await api.post(`${root}/items/${encodeURIComponent(item.id)}/${what}`, body);
    await load();
  });
  const submit = () => guarded(async () => {
    if (!item) return;
    const missing = rubrics.findIndex((rubric) => !work.answers[rubric.name]);
    if (missing >= 0) {
      setFocus(missing);
      throw new ApiError(0, "missing", `“${rubrics[missing]?.criterion ?? ""}” has no answer yet`);
    }
    if (!work.rationale.trim() && needsReason(queue, rubrics, work.answers)) {
      rationale.current?.focus();
      throw new ApiError(0, "missing", "This answer needs a reason.");
    }
    const done = await api.post<Submitted>(`${root}/items/${encodeURIComponent(item.id)}/submit`, { ...work, seconds: seconds(), key: key.current });
    setUndo(done);
    rationale.current?.blur();
    await load();
  });
  const takeBack = () => guarded(async () => {
    if (!undo) return;
    await api.post(`${root}/labels/${encodeURIComponent(undo.label_id)}/undo`);
    setUndo(null);
    await load();
  });
  const choose = (rubric: number, choice: number) => {
    const asked = rubrics[rubric];
    const picked = asked && choicesOf(queue.kind, asked)[choice];
    if (!asked || !picked) return;
    setWork((now) => ({ ...now, answers: { ...now.answers, [asked.name]: picked.value } }));
    if (rubric < rubrics.length - 1) setFocus(rubric + 1);
  };
  const highlight = () => {
    const span = item && selectedSpan(item.outputs);
    if (!span) return;
    setWork((now) => ({ ...now, spans: [...now.spans.filter((each) => each.side !== span.side || each.end <= span.start || each.start >= span.end), span] }));
    window.getSelection()?.removeAllRanges();
  };
  const flag = () => {
    const note = work.rationale.trim();
    if (!note) {
      rationale.current?.focus();
      setError(new ApiError(0, "missing", "Say in the reason what is wrong with the item, then flag it."));
      return;
    }
    void act("flag", { note });
  };
  const keys: Key[] = [
    ...Array.from({ length: 9 }, (_, place): Key => ({ key: String(place + 1), what: `choose answer ${place + 1}`, run: () => choose(focus, place) })),
    ...(queue.kind === "pairwise" ? (["a", "b", "e"] as const).map((name, place): Key => ({ key: name, what: ["A is better", "B is better", "equally good"][place] ?? "", run: () => choose(focus, name === "a" ? 0 : name === "b" ? 2 : 1) })) : []),
    { key: "ArrowDown", what: "next question", run: () => setFocus(Math.min(focus + 1, rubrics.length - 1)) },
    { key: "ArrowUp", what: "question before", run: () => setFocus(Math.max(focus - 1, 0)) },
    { key: "Ctrl+Enter", what: "hand in and go on", typing: true, run: () => void (!busy && submit()) },
    { key: "Enter", what: "write the reason", run: () => rationale.current?.focus() },
    { key: "ArrowRight", what: "skip", run: () => void (!busy && act("skip", { reason: work.rationale })) },
    { key: "f", what: "flag for the lead", run: flag },
    { key: "h", what: "mark the selected words as evidence", run: highlight },
    { key: "Ctrl+z", what: "take the last label back (60 s)", run: () => void takeBack() },
    { key: "ArrowLeft", what: "take the last label back (60 s)", run: () => void takeBack() },
  ];
  useKeys("Labelling", item || undo ? keys : []);
  if (busy && !item && !nothing && !error) return <Loading rows={8} />;
  return (
    <>
      {!item && nothing && <Done queue={queue} nothing={nothing} onAgain={() => void guarded(load)} onSkipped={() => void guarded(async () => {
        const next = await api.post<NextItem>(`${root}/queues/${encodeURIComponent(queue.id)}/next`, { skipped: true });
        show(next);
      })} />}
      {!item && error && <Problem error={error} retry={() => void guarded(load)} />}
      {item && (
        <div className={`labelling ${item.kind}`} aria-busy={busy}>
          <div className="labelling-left"><Shown item={item} work={work} /></div>
          <RubricPanel queue={queue} item={item} rubrics={rubrics} work={work} focus={focus} error={error} busy={busy} saved={saved} rationale={rationale}
            onFocus={setFocus} onChoose={choose} onWork={setWork} onSubmit={() => void submit()} onSkip={() => void act("skip", { reason: work.rationale })} onFlag={flag} onHighlight={highlight} />
        </div>
      )}
      {undo && <UndoToast undo={undo} onUndo={() => void takeBack()} onGone={() => setUndo(null)} />}
    </>
  );
}

/** What is half filled in is kept on the server, so that a closed window loses nothing. */
function useAutosave(root: string, item: ReviewItem | null, work: Work, onSaved: (words: string) => void) {
  const first = useRef("");
  useEffect(() => {
    if (!item) return;
    if (first.current !== item.id) {
      first.current = item.id;
      return;
    }
    const timer = setTimeout(() => {
      api.put(`${root}/items/${encodeURIComponent(item.id)}/draft`, work).then(() => onSaved("saved"), () => onSaved("not saved"));
    }, 700);
    return () => clearTimeout(timer);
  }, [item?.id, work]);
}

/** The item stays the reader's while the page is open. */
function useLease(root: string, item: ReviewItem | null, queue: Queue) {
  useEffect(() => {
    if (!item) return;
    const every = Math.max(20, ((queue.lease_minutes ?? 30) * 60) / 3) * 1000;
    const timer = setInterval(() => void api.post(`${root}/items/${encodeURIComponent(item.id)}/renew`).catch(() => undefined), every);
    return () => clearInterval(timer);
  }, [item?.id]);
}

function Done({ queue, nothing, onAgain, onSkipped }: { queue: Queue; nothing: NextItem; onAgain: () => void; onSkipped: () => void }) {
  const project = useProject();
  return (
    <div className="empty">
      <b>{nothing.code === "done" ? "All done" : "Nothing for you right now"}</b>
      <p>{visible(nothing.reason ?? "")}</p>
      <div className="actions">
        {nothing.code === "skipped" && <button type="button" onClick={onSkipped}>Label the skipped ones</button>}
        <button type="button" onClick={onAgain}>Look again</button>
        <Link className="button" to={project.page(`/review/${encodeURIComponent(queue.id)}/agreement`)}>Agreement</Link>
        <Link className="button" to={project.page("/review")}>All queues</Link>
      </div>
    </div>
  );
}

function UndoToast({ undo, onUndo, onGone }: { undo: Submitted; onUndo: () => void; onGone: () => void }) {
  const [left, setLeft] = useState(60);
  useEffect(() => {
    const tick = () => {
      const now = Math.round(undo.undo_until - Date.now() / 1000);
      setLeft(Math.min(60, now));
      if (now <= 0) onGone();
    };
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [undo.label_id]);
  return <div className="toast" role="status">Handed in. <button type="button" onClick={onUndo}>Take it back (Ctrl Z)</button> <span className="num">{left} s</span></div>;
}
