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
  const [made, setMade] = useState<Queue | null>(null);
  const submit = useSubmit(async (values) => {
    const queue = await api.post<Queue>(project.api("/review/queues"), {
      name: values["name"], kind: "pointwise", rubrics: [RUBRIC], raters_per_item: Number(values["raters"]), source: { run, ids: [id] }, sample: { method: "all" },
    });
    await client.invalidateQueries({ queryKey: [project.api("/review/queues")] });
    setMade(queue);
  });
  return (
    <>
      <button type="button" onClick={() => setShown(true)}>Send to review</button>
      {shown && (
        <Dialog title="Send this case to reviewers" onClose={() => setShown(false)}>
          {made ? (
            <div className="notice good">Queue <Link to={project.page(`/review/${encodeURIComponent(made.id)}`)}>{visible(made.name)}</Link> is open.</div>
          ) : (
            <form onSubmit={submit.onSubmit}>
              <Field label="Name of the queue"><input name="name" required defaultValue={`Case ${id}`.slice(0, 80)} autoFocus /></Field>
              <Field label="Reviewers for the item"><input name="raters" type="number" min={1} max={9} defaultValue={2} required /></Field>
              <p className="muted small-text">They are asked “{RUBRIC.criterion}” and see neither model nor scores. For other rubrics, make the queue on the <Link to={`${project.page("/review")}?new=run&run=${encodeURIComponent(run)}`}>review page</Link>.</p>
              <FormError error={submit.error} />
              <div className="actions"><button type="submit" className="primary" disabled={submit.busy}>Make the queue</button></div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
