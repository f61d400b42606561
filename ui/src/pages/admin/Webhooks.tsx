/** Who is told, of what, and how: signed webhooks, chat messages, e-mail; and what became of each message. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing } from "../../api/types";
import { useProject } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Empty, Loaded, Problem } from "../../components/Status";
import { State } from "../../components/Verdict";
import { moment } from "../../lib/format";
import { visible } from "../../lib/hidden";

interface Webhook {
  id: string;
  name: string;
  kind: string;
  address: string;
  events: string[];
  enabled: boolean;
}

interface Delivery {
  id: string;
  event?: string;
  type?: string;
  state: string;
  attempts: number;
  created_at?: number;
  status?: number | null;
  error?: string;
}

const EVENTS: Record<string, string> = { "gate.changed": "a gate changes", "waiver.expiring": "a waiver is about to end", "run.finished": "a run ends", "set.stale": "a golden set is stale" };

export function Webhooks() {
  const project = useProject();
  const client = useQueryClient();
  const path = project.api("/webhooks");
  const query = useGet<Listing<Webhook>>(path);
  const [error, setError] = useState<unknown>(null);
  const [shown, setShown] = useState<Webhook | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: [path] });
  const add = useSubmit(async (values) => {
    await api.post(path, { name: values["name"], kind: values["kind"], address: values["address"], secret: values["secret"] ?? "", events: (values["events"] ?? "").split(",").filter(Boolean) });
    await refresh();
  });
  const one = (each: Webhook, rest = "") => `${path}/${encodeURIComponent(each.id)}${rest}`;
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <Loaded query={query}>
        {(data) => !data.items.length ? <Empty title="Nobody is told">Let a chat channel, an address or a service of yours know when a gate changes or a waiver is about to end.</Empty> : (
          <table className="grid">
            <thead><tr><th>Name</th><th>To</th><th>When</th><th /></tr></thead>
            <tbody>
              {data.items.map((each) => (
                <tr key={each.id}>
                  <td className="key1">{visible(each.name)} {!each.enabled && <span className="pill muted">held</span>}</td><td className="wide">{visible(each.kind)} <span className="muted small-text mono">{visible(each.address)}</span></td>
                  <td>{each.events.map((event) => <span key={event} className="chip">{EVENTS[event] ?? event}</span>)}</td>
                  <td className="n"><span className="actions"><button type="button" className="small" onClick={() => setShown(each)}>Messages</button>{project.can("admin") && <>
                    <button type="button" className="small" onClick={() => void api.post(one(each, "/test")).then(() => setShown(each), setError)}>Send a test</button>
                    <button type="button" className="small" onClick={() => void api.patch(one(each), { enabled: !each.enabled }).then(refresh, setError)}>{each.enabled ? "Hold" : "Go on"}</button>
                    <button type="button" className="small danger" onClick={() => void api.delete(one(each)).then(refresh, setError)}>Delete</button></>}</span></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {project.can("admin") && (
        <form className="card inline-form" onSubmit={add.onSubmit}>
          <Field label="Name" error={add.fieldError("name")}><input name="name" required /></Field>
          <Field label="Kind"><select name="kind"><option value="webhook">signed webhook</option><option value="slack">Slack</option><option value="teams">Teams</option><option value="email">e-mail</option></select></Field>
          <Field label="Address" hint="URL, ${NAME} of the server, or e-mail" error={add.fieldError("address")}><input name="address" required /></Field>
          <Field label="Secret (webhooks)" hint="${NAME}, a variable of the server" error={add.fieldError("secret")}><input name="secret" placeholder="${HOOK_SECRET}" autoComplete="off" /></Field>
          <fieldset className="checks"><legend className="small-text muted">When</legend>{Object.entries(EVENTS).map(([event, words]) => <label key={event} className="check"><input type="checkbox" name="events" value={event} defaultChecked={event === "gate.changed"} /> {words}</label>)}</fieldset>
          <button type="submit" className="primary" disabled={add.busy}>Add</button>
          <FormError error={add.error} />
        </form>
      )}
      {shown && <Deliveries webhook={shown} path={one(shown, "/deliveries")} onClose={() => setShown(null)} />}
    </>
  );
}

function Deliveries({ webhook, path, onClose }: { webhook: Webhook; path: string; onClose: () => void }) {
  const query = useGet<Listing<Delivery>>(path, {}, { refetchInterval: 5_000 });
  return (
    <Dialog title={`Messages to ${visible(webhook.name)}`} onClose={onClose} wide>
      <Loaded query={query}>
        {(data) => !data.items.length ? <Empty title="Nothing was sent yet" /> : (
          <table className="plain-table">
            <thead><tr><th>When</th><th>Event</th><th>What became of it</th></tr></thead>
            <tbody>{data.items.map((each) => <tr key={each.id}><td>{moment(each.created_at)}</td><td>{visible(each.type ?? "")}</td><td><State state={each.state} /> {each.status ?? ""} <span className="error-text small-text">{visible(each.error ?? "")}</span> {each.attempts > 1 && <span className="muted">{each.attempts} attempts</span>}</td></tr>)}</tbody>
          </table>
        )}
      </Loaded>
    </Dialog>
  );
}
