/** What can be done with a case: into a golden set's draft, to the reviewers. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { Listing, Queue } from "../api/types";
import { Link } from "../app/router";
import { useProject } from "../app/session";
import { Dialog } from "../components/Dialog";
import { Field, FormError, useSubmit } from "../components/Form";
import { visible } from "../lib/hidden";

export function AddToGolden({ run, id, open = false, onClose }: { run: string; id: string; open?: boolean; onClose?: () => void }) {
  const [shown, setShown] = useState(open);
  const close = () => {
    setShown(false);
    onClose?.();
  };
  return (
    <>
      {!onClose && <button type="button" onClick={() => setShown(true)}>Add to golden set</button>}
      {shown && <GoldenDialog run={run} id={id} onClose={close} />}
    </>
  );
}

function GoldenDialog({ run, id, onClose }: { run: string; id: string; onClose: () => void }) {
  const project = useProject();
  const client = useQueryClient();
  const [done, setDone] = useState("");
  const sets = useGet<Listing<{ name: string }>>(project.api("/datasets"));
  const submit = useSubmit(async (values) => {
    const name = values["dataset"] ?? "";
    await api.post(project.api(`/datasets/${encodeURIComponent(name)}/cases`), { run, case_id: id, message: values["reason"] ?? "" });
    await client.invalidateQueries({ queryKey: [project.api("/datasets")] });
    setDone(name);
  });
  return (
    <Dialog title="Add to a golden set" onClose={onClose}>
      {done ? (
        <div className="notice good">The case is in the draft of <Link to={project.page(`/datasets/${encodeURIComponent(done)}`)}>{visible(done)}</Link>. It counts once the draft is approved.</div>
      ) : (
        <form onSubmit={submit.onSubmit}>
          <p><b>{visible(id)}</b> goes into the draft of a set; somebody else approves the draft.</p>
          <Field label="Golden set" error={submit.fieldError("dataset")}>
            <input name="dataset" list="sets" required autoFocus /><datalist id="sets">{(sets.data?.items ?? []).map((set) => <option key={set.name} value={set.name} />)}</datalist>
          </Field>
          <Field label="Why it belongs there"><input name="reason" /></Field>
          <FormError error={submit.error} />
          <div className="actions"><button type="submit" className="primary" disabled={submit.busy}>Add to the draft</button></div>
        </form>
      )}
    </Dialog>
  );
}

const RUBRIC = {
  name: "correct", criterion: "Is the answer right and complete?", scale: "ordinal", pass_from: "yes",
  levels: [
    { name: "no", value: 0, anchor: "Wrong, or leaves out what was asked." },
    { name: "partly", value: 0.5, anchor: "Right as far as it goes, but something needed is missing." },
    { name: "yes", value: 1, anchor: "Right and complete." },
  ],
};

export function SendToReview({ run, id }: { run: string; id: string }) {
  const project = useProject();
  const client = useQueryClient();
  const [shown, setShown] = useState(false);
  const [said, setSaid] = useState<{ queue: string; words: string } | null>(null);
  const queues = useGet<Listing<Queue>>(project.api("/review/queues"), {}, { enabled: shown });
  const open = (queues.data?.items ?? []).filter((queue) => queue.state === "open" && queue.kind === "pointwise");
  const submit = useSubmit(async (values) => {
    const source = { run, ids: [id] };
    if (values["queue"]) {
      const sent = await api.post<{ added: number }>(project.api(`/review/queues/${encodeURIComponent(values["queue"])}/items`), { source });
      setSaid({ queue: values["queue"], words: sent.added ? "The case is in the queue." : "The queue had this case already." });
    } else {
      const made = await api.post<{ queue: Queue }>(project.api("/review/queues"), { name: `Case ${id}`.slice(0, 120), rubrics: [RUBRIC], raters_per_item: Number(values["raters"] ?? 2), source, sample: { method: "all" } });
      setSaid({ queue: made.queue.id, words: "A new queue is open." });
    }
    await client.invalidateQueries({ queryKey: [project.api("/review/queues")] });
  });
  return (
    <>
      <button type="button" onClick={() => setShown(true)}>Send to review</button>
      {shown && (
        <Dialog title="Send this case to reviewers" onClose={() => setShown(false)}>
          {said ? (
            <div className="notice good">{said.words} <Link to={project.page(`/review/${encodeURIComponent(said.queue)}`)}>Open it</Link></div>
          ) : (
            <form onSubmit={submit.onSubmit}>
              <Field label="Queue" error={submit.fieldError("queue")}>
                <select name="queue" autoFocus required={!project.can("lead")}>
                  {project.can("lead") ? <option value="">a new queue: “{RUBRIC.criterion}”</option> : <option value="">choose …</option>}
                  {open.map((queue) => <option key={queue.id} value={queue.id}>{visible(queue.name)}</option>)}
                </select>
              </Field>
              {project.can("lead") && <Field label="Reviewers for the item, in a new queue"><input name="raters" type="number" min={1} max={9} defaultValue={2} /></Field>}
              <p className="muted small-text">Reviewers see neither model nor scores. Queues with other rubrics are made on the <Link to={`${project.page("/review")}?new=run&run=${encodeURIComponent(run)}`}>review page</Link>.</p>
              <FormError error={submit.error} />
              <div className="actions"><button type="submit" className="primary" disabled={submit.busy}>Send</button></div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
