/** Suites run by the clock. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing } from "../../api/types";
import { Link } from "../../app/router";
import { useProject } from "../../app/session";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Empty, Loaded, Problem } from "../../components/Status";
import { moment, relative } from "../../lib/format";
import { visible } from "../../lib/hidden";

interface Schedule {
  id: string;
  name?: string;
  suite: string;
  cron: string;
  timezone?: string;
  enabled?: boolean;
  next_at?: number | null;
  last_at?: number | null;
  last_run?: string | null;
  last_run_id?: string | null;
  problem?: string | null;
  last_error?: string | null;
}

export function Schedules() {
  const project = useProject();
  const client = useQueryClient();
  const path = project.api("/schedules");
  const query = useGet<Listing<Schedule> | Schedule[]>(path);
  const [error, setError] = useState<unknown>(null);
  const refresh = () => client.invalidateQueries({ queryKey: [path] });
  const add = useSubmit(async (values) => {
    await api.post(path, { suite: values["suite"], cron: values["cron"], ...(values["name"] ? { name: values["name"] } : {}), ...(values["timezone"] ? { timezone: values["timezone"] } : {}) });
    await refresh();
  });
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <Loaded query={query}>
        {(data) => {
          const all = Array.isArray(data) ? data : data.items;
          return !all.length ? <Empty title="No schedule">The server runs a suite file by the clock and tells of what it finds.</Empty> : (
            <table className="grid">
              <thead><tr><th>Suite</th><th>When</th><th>Next</th><th>Last</th><th /></tr></thead>
              <tbody>
                {all.map((each) => {
                  const last = each.last_run_id ?? each.last_run;
                  return (
                    <tr key={each.id}>
                      <td className="key1">{visible(each.name || each.suite)}<span className="muted small-text mono clamp1">{visible(each.suite)}</span>{(each.problem ?? each.last_error) && <span className="error-text small-text">{visible(each.problem ?? each.last_error ?? "")}</span>}</td>
                      <td data-l="when"><code>{visible(each.cron)}</code> <span className="muted">{visible(each.timezone ?? "")}</span></td><td data-l="next" title={moment(each.next_at)}>{each.enabled === false ? <span className="pill muted">held</span> : relative(each.next_at)}</td>
                      <td data-l="last">{last ? <Link to={project.page(`/runs/${encodeURIComponent(last)}`)}>{relative(each.last_at) === "–" ? visible(last) : relative(each.last_at)}</Link> : relative(each.last_at)}</td>
                      <td className="n"><span className="actions"><button type="button" className="small" onClick={() => void api.patch(`${path}/${encodeURIComponent(each.id)}`, { enabled: each.enabled === false }).then(refresh, setError)}>{each.enabled === false ? "Go on" : "Hold"}</button><button type="button" className="small danger" onClick={() => void api.delete(`${path}/${encodeURIComponent(each.id)}`).then(refresh, setError)}>Delete</button></span></td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          );
        }}
      </Loaded>
      <form className="card inline-form" onSubmit={add.onSubmit}>
        <Field label="Suite file" hint="as the server finds it" error={add.fieldError("suite")}><input name="suite" required placeholder="suites/support.yaml" /></Field>
        <Field label="When (cron)" hint="minute hour day month weekday" error={add.fieldError("cron")}><input name="cron" required placeholder="30 5 * * 1-5" className="mono" /></Field>
        <Field label="Time zone" error={add.fieldError("timezone")}><input name="timezone" placeholder="UTC" /></Field>
        <Field label="Name"><input name="name" /></Field>
        <button type="submit" className="primary" disabled={add.busy}>Add a schedule</button>
        <FormError error={add.error} />
      </form>
    </>
  );
}
