/** Notes and findings on cases: kept as saved views of the case, so that each has an owner and a permalink. */

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

export interface Note {
  id: string;
  name: string;
  page: string;
  query: string;
  owner: string;
  created_at: number;
}

/** A note, or a failure somebody looked into, with its cause. */
const KINDS = ["note", "finding"];

/** The notes and findings of the project, newest first. */
export function useNotes(): Note[] {
  const project = useProject();
  const views = useGet<Listing<Note>>(project.api("/views"));
  return (views.data?.items ?? []).filter((view) => KINDS.includes(view.page)).sort((a, b) => b.created_at - a.created_at);
}

/** The run and the case a note is about. */
export const placeOf = (note: Note): { run: string; id: string } => {
  const query = new URLSearchParams(note.query);
  return { run: query.get("run") ?? "", id: query.get("case") ?? "" };
};

export function NoteDialog({ run, id, kind = "note", onClose }: { run: string; id: string; kind?: string; onClose: () => void }) {
  const project = useProject();
  const client = useQueryClient();
  const submit = useSubmit(async (values) => {
    await api.post(project.api("/views"), { name: values["note"], page: values["kind"] ?? "note", query: new URLSearchParams({ run, case: id }).toString(), shared: true });
    await client.invalidateQueries({ queryKey: [project.api("/views")] });
    onClose();
  });
  return (
    <Dialog title={kind === "finding" ? "Open as a finding" : "Note on a case"} onClose={onClose}>
      <form onSubmit={submit.onSubmit}>
        <p><b>{visible(id)}</b></p>
        <Field label="What it is"><select name="kind" defaultValue={kind}><option value="note">a note</option><option value="finding">a finding: a failure with its cause</option></select></Field>
        <Field label="In words (everybody in the project sees it)" error={submit.fieldError("name")}><input name="note" maxLength={200} required autoFocus /></Field>
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
  const [writing, setWriting] = useState("");
  const notes = useNotes().filter((note) => placeOf(note).id === id);
  const remove = (note: Note) => api.delete(project.api(`/views/${encodeURIComponent(note.id)}`)).then(() => client.invalidateQueries({ queryKey: [project.api("/views")] }));
  return (
    <div className="card">
      <h4>Notes and findings</h4>
      <ul className="notes">
        {notes.map((note) => (
          <li key={note.id}>{note.page === "finding" && <span className="pill warn">finding</span>}<span>{visible(note.name)}</span> <span className="muted small-text">{visible(note.owner)}, {relative(note.created_at)}{placeOf(note).run === run ? "" : ", on another run"}</span>
            {note.owner === session.user.username && <button type="button" className="icon" aria-label="delete the note" onClick={() => void remove(note)}>✕</button>}</li>
        ))}
      </ul>
      <div className="note-buttons"><button type="button" className="small" onClick={() => setWriting("note")}>Note</button> <button type="button" className="small" onClick={() => setWriting("finding")}>Open as finding</button></div>
      {writing && <NoteDialog run={run} id={id} kind={writing} onClose={() => setWriting("")} />}
    </div>
  );
}
