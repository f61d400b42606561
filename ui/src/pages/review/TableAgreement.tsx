/** Agreement of any table of ratings: a file, or what is pasted. */

import { useState } from "react";
import { api } from "../../api/client";
import { useProject } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { Field, FormError, useSubmit } from "../../components/Form";
import { AgreementView, type AgreementData } from "./Agreement";

/** The server's name of a file's format, by how its name ends. */
function formatOf(file: File): string {
  const ending = file.name.split(".").pop()?.toLowerCase() ?? "";
  return ["json", "jsonl", "parquet"].includes(ending) ? ending : "csv";
}

export function TableAgreement({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const [data, setData] = useState<AgreementData | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const [text, setText] = useState("");
  const submit = useSubmit(async (values) => {
    const format = file ? formatOf(file) : "csv";
    setData(await api.upload<AgreementData>(project.api("/review/agreement/file"), file ?? new Blob([text]), { format, scale: values["scale"], layout: values["layout"] }));
  });
  return (
    <Dialog title="Agreement of a table" onClose={onClose} wide>
      {data ? <><AgreementView data={data} /><div className="actions"><button type="button" onClick={() => setData(null)}>Another table</button></div></> : (
        <form onSubmit={submit.onSubmit}>
          <p className="muted">Ratings by anybody, of anything. Empty cells are missing labels.</p>
          <Field label="File" hint="CSV, JSON, JSON lines or Parquet"><input type="file" name="file" accept=".csv,.tsv,.txt,.json,.jsonl,.parquet" onChange={(event) => setFile(event.target.files?.[0] ?? null)} /></Field>
          {!file && <Field label="Or paste CSV"><textarea rows={8} className="mono" value={text} onChange={(event) => setText(event.target.value)} required /></Field>}
          <Field label="The table has"><select name="layout"><option value="auto">let it be seen from the table</option><option value="wide">a line per item, a column per reviewer</option><option value="long">a line per label</option><option value="counts">a line per item, a column per level with counts</option><option value="contingency">one reviewer's levels against another's</option></select></Field>
          <Field label="Scale"><select name="scale"><option value="">let it be seen from the table</option><option value="nominal">names only</option><option value="ordinal">ordered</option><option value="interval">numbers whose distances count</option><option value="ratio">numbers with a true zero</option></select></Field>
          <FormError error={submit.error} />
          <div className="actions"><button type="submit" className="primary" disabled={submit.busy || !(file || text.trim())}>Compute</button></div>
        </form>
      )}
    </Dialog>
  );
}
