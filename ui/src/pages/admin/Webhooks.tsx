/** Who is told, of what, and how: signed webhooks, chat messages, e-mail. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing } from "../../api/types";
import { useProject } from "../../app/session";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Empty, Loaded, Problem } from "../../components/Status";
import { visible } from "../../lib/hidden";

interface Webhook {
  id: string;
  name?: string;
  kind?: string;
  url?: string;
  target?: string;
  address?: string;
  events?: string[];
  enabled?: boolean;
  last_error?: string | null;
  last_status?: number | string | null;
}

const EVENTS = ["gate.changed", "run.finished", "waiver.expiring", "set.stale"];

export function Webhooks() {
  const project = useProject();
  const client = useQueryClient();
  const path = project.api("/webhooks");
  const query = useGet<Listing<Webhook> | Webhook[]>(path);
  const [error, setError] = useState<unknown>(null);
  const [said, setSaid] = useState("");
  const [secret, setSecret] = useState("");
  const refresh = () => client.invalidateQueries({ queryKey: [path] });
  const add = useSubmit(async (values) => {
    const made = await api.post<{ secret?: string }>(path, { kind: values["kind"], url: values["url"], events: (values["events"] ?? "").split(",").filter(Boolean) });
    setSecret(made.secret ?? "");
    await refresh();
  });
  const test = (id: string) => api.post<{ ok?: boolean; message?: string; status?: number }>(`${path}/${encodeURIComponent(id)}/test`).then((result) => setSaid(result.message ?? (result.ok === false ? `refused (${result.status ?? "no answer"})` : "sent")), setError);
  return (
    <>
      {error ? <Problem error={error} /> : null}
      {said && <p className="notice info">{visible(said)}</p>}
      {secret && <p className="notice good">Messages are signed with <code>{secret}</code>. This is the only time it is shown.</p>}
      <Loaded query={query}>
        {(data) => {
          const all = Array.isArray(data) ? data : data.items;
          return !all.length ? <Empty title="Nobody is told">Let a chat channel, an address or a service of yours know when a gate changes or a waiver is about to end.</Empty> : (
            <table className="grid">
              <thead><tr><th>To</th><th>Kind</th><th>Of</th><th /></tr></thead>
              <tbody>
                {all.map((each) => (
                  <tr key={each.id}>
                    <td className="key1">{visible(each.name || each.url || each.target || each.address || each.id)}{each.last_error && <span className="error-text small-text">{visible(each.last_error)}</span>}</td><td>{visible(each.kind ?? "webhook")}</td>
                    <td>{(each.events ?? []).map((event) => <span key={event} className="chip">{visible(event)}</span>)}</td>
                    <td className="n"><span className="actions"><button type="button" className="small" onClick={() => void test(each.id)}>Send a test</button><button type="button" className="small danger" onClick={() => void api.delete(`${path}/${encodeURIComponent(each.id)}`).then(refresh, setError)}>Delete</button></span></td>
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Loaded>
      <form className="card inline-form" onSubmit={add.onSubmit}>
        <Field label="Kind"><select name="kind"><option value="webhook">signed webhook</option><option value="slack">Slack</option><option value="teams">Teams</option><option value="email">e-mail</option></select></Field>
        <Field label="Address" error={add.fieldError("url")}><input name="url" required placeholder="https://… or name@example.org" /></Field>
        <fieldset className="checks"><legend className="small-text muted">Of</legend>{EVENTS.map((event) => <label key={event} className="check"><input type="checkbox" name="events" value={event} defaultChecked={event === "gate.changed"} /> {event}</label>)}</fieldset>
        <button type="submit" className="primary" disabled={add.busy}>Add</button>
        <FormError error={add.error} />
      </form>
    </>
  );
}
