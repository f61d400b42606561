/** Go anywhere: pages, projects, suites, runs, datasets, queues. Opens with Ctrl-K. */

import { useMemo, useState } from "react";
import { useGet } from "../api/queries";
import type { Listing, Queue, RunEntry, SuiteEntry } from "../api/types";
import { Dialog } from "../components/Dialog";
import { moment } from "../lib/format";
import { visible } from "../lib/hidden";
import { PLACES } from "./Shell";
import { navigate } from "./router";
import { useProject, useSession } from "./session";

interface Target {
  kind: string;
  text: string;
  note?: string;
  to: string;
}

function useTargets(typed: string): Target[] {
  const project = useProject();
  const session = useSession();
  const runs = useGet<Listing<RunEntry>>(project.api("/runs"), { limit: 12, q: typed }, { keep: true });
  const suites = useGet<Listing<SuiteEntry>>(project.api("/suites"));
  const sets = useGet<Listing<{ name: string }>>(project.api("/datasets"));
  const queues = useGet<Listing<Queue>>(project.api("/review/queues"));
  return useMemo(() => {
    const found: Target[] = PLACES.filter((place) => !place.role || project.can(place.role)).map((place) => ({ kind: "page", text: place.title, to: project.page(place.path) }));
    for (const suite of suites.data?.items ?? []) found.push({ kind: "suite", text: suite.name, to: `${project.page("/runs")}?suite=${encodeURIComponent(suite.name)}` });
    for (const set of sets.data?.items ?? []) found.push({ kind: "dataset", text: set.name, to: project.page(`/datasets/${encodeURIComponent(set.name)}`) });
    for (const queue of queues.data?.items ?? []) found.push({ kind: "queue", text: queue.name, to: project.page(`/review/${encodeURIComponent(queue.id)}/label`) });
    for (const run of runs.data?.items ?? []) found.push({ kind: "run", text: run.run_id, note: `${run.suite} · ${moment(run.created_at)}`, to: project.page(`/runs/${encodeURIComponent(run.run_id)}`) });
    for (const each of session.projects) if (each.name !== project.name) found.push({ kind: "project", text: each.title || each.name, to: `/p/${encodeURIComponent(each.name)}/overview` });
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    return found.filter((each) => words.every((word) => `${each.kind} ${each.text} ${each.note ?? ""}`.toLowerCase().includes(word))).slice(0, 30);
  }, [typed, runs.data, suites.data, sets.data, queues.data, project, session]);
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const targets = useTargets(typed);
  const chosen = Math.min(at, Math.max(targets.length - 1, 0));
  const go = (target: Target | undefined) => {
    if (!target) return;
    onClose();
    navigate(target.to);
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, targets.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
    else if (event.key === "Enter") go(targets[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={onClose} bare>
      <div className="palette">
        <input autoFocus role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Go to" placeholder="Page, suite, run, dataset, queue …" value={typed}
          onChange={(event) => { setTyped(event.target.value); setAt(0); }} onKeyDown={onKey} />
        <ul id="palette-list" role="listbox">
          {targets.map((target, place) => (
            <li key={`${target.kind}${target.to}`} role="option" aria-selected={place === chosen} onMouseMove={() => setAt(place)} onClick={() => go(target)}>
              <span className="kind">{target.kind}</span><span className="what">{visible(target.text)}</span><span className="muted">{target.note ? visible(target.note) : ""}</span>
            </li>
          ))}
          {!targets.length && <li className="muted">Nothing of that name.</li>}
        </ul>
      </div>
    </Dialog>
  );
}
