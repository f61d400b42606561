/** Notes on cases: kept as saved views of the case, so that each has an owner and a permalink. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { Listing } from "../api/types";
import { useProject, useSession } from "../app/session";
import { Dialog } from "../components/Dialog";
import { Field, FormError, useSubmit } from "../components/Form";
import { relative } from "../lib/format";
import { visible } from "../lib/hidden";

interface Note {
  id: string;
  name: string;
  page: string;
  query: string;
  owner: string;
  created_at: number;
}

const PAGE = "note";

export function NoteDialog({ run, id, onClose }: { run: string; id: string; onClose: () => void }) {
  const project = useProject();
  const client = useQueryClient();
  const submit = useSubmit(async (values) => {
    await api.post(project.api("/views"), { name: values["note"], page: PAGE, query: new URLSearchParams({ run, case: id }).toString(), shared: true });
    await client.invalidateQueries({ queryKey: [project.api("/views")] });
    onClose();
  });
  return (
    <Dialog title="Note on a case" onClose={onClose}>
      <form onSubmit={submit.onSubmit}>
        <p><b>{visible(id)}</b></p>
        <Field label="Note (everybody in the project sees it)" error={submit.fieldError("name")}><input name="note" maxLength={200} required autoFocus /></Field>
        <FormError error={submit.error} />
        <div className="actions"><button type="submit" className="primary" disabled={submit.busy}>Keep the note</button></div>
      </form>
    </Dialog>
  );
}

/** What people noted on a case, in whichever run. */
export function Notes({ run, id }: { run: string; id: string }) {
  const project = useProject();
  const session = useSession();
  const client = useQueryClient();
  const [writing, setWriting] = useState(false);
  const views = useGet<Listing<Note>>(project.api("/views"));
  const notes = (views.data?.items ?? []).filter((view) => view.page === PAGE && new URLSearchParams(view.query).get("case") === id);
  const remove = (note: Note) => api.delete(project.api(`/views/${encodeURIComponent(note.id)}`)).then(() => client.invalidateQueries({ queryKey: [project.api("/views")] }));
  return (
    <div className="card">
      <h4>Notes <button type="button" className="link" onClick={() => setWriting(true)}>add</button></h4>
      <ul className="notes">
        {notes.map((note) => (
          <li key={note.id}><span>{visible(note.name)}</span> <span className="muted small-text">{visible(note.owner)}, {relative(note.created_at)}{new URLSearchParams(note.query).get("run") === run ? "" : ", on another run"}</span>
            {note.owner === session.user.username && <button type="button" className="icon" aria-label="delete the note" onClick={() => void remove(note)}>✕</button>}</li>
        ))}
      </ul>
      {writing && <NoteDialog run={run} id={id} onClose={() => setWriting(false)} />}
    </div>
  );
}
