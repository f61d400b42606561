/** A note on a case: kept as a saved view of that case, so that it has an owner and a permalink. */

import { api } from "../api/client";
import { useProject } from "../app/session";
import { Dialog } from "../components/Dialog";
import { Field, FormError, useSubmit } from "../components/Form";
import { visible } from "../lib/hidden";

export function NoteDialog({ run, id, onClose }: { run: string; id: string; onClose: () => void }) {
  const project = useProject();
  const submit = useSubmit(async (values) => {
    await api.post(project.api("/views"), { name: values["note"], page: "note", query: new URLSearchParams({ run, case: id }).toString(), shared: true });
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
