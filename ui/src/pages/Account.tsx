/** One's own account: password and access tokens. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { Listing } from "../api/types";
import { useProject, useSession } from "../app/session";
import { Field, FormError, useSubmit } from "../components/Form";
import { Page, Section } from "../components/Page";
import { CopyButton, Empty, Loaded } from "../components/Status";
import { day, relative } from "../lib/format";
import { visible } from "../lib/hidden";

interface Token {
  id: string;
  name: string;
  scopes: string[];
  project: string | null;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  revoked_at: number | null;
}

const SCOPES: Record<string, string> = { read: "read runs and figures", write: "send runs, add cases", review: "label", admin: "administer", metrics: "read the server's own metrics" };

export function Account() {
  const session = useSession();
  return (
    <Page title={session.user.name || session.user.username} name="Account" lead={`Signed in as ${session.user.username}.`}>
      <Tokens />
      <Password />
    </Page>
  );
}

function Tokens() {
  const project = useProject();
  const client = useQueryClient();
  const [made, setMade] = useState("");
  const query = useGet<Listing<Token>>("/me/tokens");
  const refresh = () => client.invalidateQueries({ queryKey: ["/me/tokens"] });
  const add = useSubmit(async (values) => {
    const token = await api.post<{ token: string }>("/me/tokens", { name: values["name"], scopes: (values["scopes"] ?? "").split(",").filter(Boolean), days: Number(values["days"]), project: values["everywhere"] ? null : project.name });
    setMade(token.token);
    await refresh();
  });
  return (
    <Section title="Access tokens" note="for the command line and other programs">
      {made && <div className="notice good">Copy it now, it is not shown again: <code className="secret">{made}</code> <CopyButton text={made} /></div>}
      <Loaded query={query} rows={2}>
        {(data) => !data.items.length ? <Empty title="No token" command={`EVALWRIGHT_TOKEN=ewt_… evalwright list runs --server ${window.location.origin}${project.page("")}`} /> : (
          <table className="grid">
            <thead><tr><th>Token</th><th>May</th><th>Project</th><th className="n">Ends</th><th className="n">Last used</th><th /></tr></thead>
            <tbody>
              {data.items.map((token) => (
                <tr key={token.id}>
                  <td className="key1">{visible(token.name)} {token.revoked_at && <span className="pill muted">revoked</span>}</td><td>{token.scopes.map((scope) => <span key={scope} className="chip">{scope}</span>)}</td><td data-l="project">{token.project ? visible(token.project) : "all of mine"}</td>
                  <td className="n" data-l="ends">{day(token.expires_at)}</td><td className="n" data-l="used">{token.used_at ? relative(token.used_at) : "never"}</td><td className="n">{!token.revoked_at && <button type="button" className="small danger" onClick={() => void api.delete(`/me/tokens/${encodeURIComponent(token.id)}`).then(refresh)}>Revoke</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      <form className="card inline-form" onSubmit={add.onSubmit}>
        <Field label="What it is for" error={add.fieldError("name")}><input name="name" required maxLength={200} /></Field>
        <Field label="Days" error={add.fieldError("days")}><input name="days" type="number" min={1} max={366} defaultValue={90} required /></Field>
        <fieldset className="checks"><legend className="small-text muted">It may</legend>{Object.entries(SCOPES).map(([scope, words]) => <label key={scope} className="check"><input type="checkbox" name="scopes" value={scope} defaultChecked={scope === "read"} /> {words}</label>)}<label className="check"><input type="checkbox" name="everywhere" /> in all my projects, not only {visible(project.title)}</label></fieldset>
        <button type="submit" className="primary" disabled={add.busy}>Make a token</button>
        <FormError error={add.error} />
      </form>
    </Section>
  );
}

function Password() {
  const [done, setDone] = useState(false);
  const submit = useSubmit(async (values) => {
    await api.post("/me/password", { old: values["old"], new: values["new"] });
    setDone(true);
  });
  return (
    <Section title="Password">
      {done ? <p className="notice good">Changed. Other browsers are signed out.</p> : (
        <form className="card inline-form" onSubmit={submit.onSubmit}>
          <Field label="Old password" error={submit.fieldError("old")}><input name="old" type="password" autoComplete="current-password" required /></Field>
          <Field label="New password" hint="at least 12 characters" error={submit.fieldError("new")}><input name="new" type="password" autoComplete="new-password" minLength={12} required /></Field>
          <button type="submit" className="primary" disabled={submit.busy}>Change it</button>
          <FormError error={submit.error} />
        </form>
      )}
    </Section>
  );
}
