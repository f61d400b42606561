/** Agreement of any table of ratings: one line per item, one column per reviewer. */

import { useState } from "react";
import { api } from "../../api/client";
import { useProject } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { Field, FormError, useSubmit } from "../../components/Form";
import { AgreementView, type AgreementData } from "./Agreement";

export function TableAgreement({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const [data, setData] = useState<AgreementData | null>(null);
  const [text, setText] = useState("");
  const submit = useSubmit(async (values) => {
    setData(await api.upload<AgreementData>(project.api("/review/agreement/file"), new Blob([text]), { format: "csv", scale: values["scale"], layout: values["layout"] }));
  });
  return (
    <Dialog title="Agreement of a table" onClose={onClose} wide>
      {data ? <><AgreementView data={data} /><div className="actions"><button type="button" onClick={() => setData(null)}>Another table</button></div></> : (
        <form onSubmit={submit.onSubmit}>
          <p className="muted">A CSV of ratings. Empty cells are missing labels.</p>
          <Field label="File"><input type="file" accept=".csv,text/csv,.tsv,.txt" onChange={(event) => void event.target.files?.[0]?.text().then(setText)} /></Field>
          <Field label="Or paste it"><textarea rows={8} className="mono" value={text} onChange={(event) => setText(event.target.value)} required /></Field>
          <Field label="The table has"><select name="layout"><option value="auto">let it be seen from the table</option><option value="wide">a line per item, a column per reviewer</option><option value="long">a line per label</option><option value="counts">a line per item, a column per level with counts</option></select></Field>
          <Field label="Scale"><select name="scale"><option value="nominal">names only</option><option value="ordinal">ordered</option><option value="interval">numbers whose distances count</option></select></Field>
          <FormError error={submit.error} />
          <div className="actions"><button type="submit" className="primary" disabled={submit.busy || !text.trim()}>Compute</button></div>
        </form>
      )}
    </Dialog>
  );
}
