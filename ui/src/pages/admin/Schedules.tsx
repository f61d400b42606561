/** Suites run by the clock, and what became of each time. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { address, api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing } from "../../api/types";
import { Link } from "../../app/router";
import { useProject } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Empty, Loaded, Problem } from "../../components/Status";
import { State } from "../../components/Verdict";
import { moment, relative } from "../../lib/format";
import { visible } from "../../lib/hidden";

interface Schedule {
  id: string;
  name: string;
  suite: string;
  cron: string;
  timezone: string;
  enabled: boolean;
  created_by?: string;
  next_at?: number | null;
}

interface Slot {
  schedule_id: string;
  slot_at: number;
  state: string;
  started_at?: number | null;
  finished_at?: number | null;
  run_id?: string | null;
  exit_code?: number | null;
  note?: string;
}

export function Schedules() {
  const project = useProject();
  const client = useQueryClient();
  const path = project.api("/schedules");
  const query = useGet<Listing<Schedule>>(path);
  const files = useGet<Listing<string>>(`${path}/suites`, {}, { enabled: project.can("engineer") });
  const [error, setError] = useState<unknown>(null);
  const [shown, setShown] = useState<Schedule | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: [path] });
  const add = useSubmit(async (values) => {
    await api.post(path, { name: values["name"], suite: values["suite"], cron: values["cron"], timezone: values["timezone"] || "UTC" });
    await refresh();
  });
  const one = (each: Schedule, rest = "") => `${path}/${encodeURIComponent(each.id)}${rest}`;
  const actions = (each: Schedule) => (
    <span className="actions">
      <button type="button" className="small" onClick={() => setShown(each)}>Past times</button>
      <button type="button" className="small" onClick={() => void api.post(one(each, "/run")).then(() => setShown(each), setError)}>Run now</button>
      <button type="button" className="small" onClick={() => void api.patch(one(each), { enabled: !each.enabled }).then(refresh, setError)}>{each.enabled ? "Hold" : "Go on"}</button>
      <button type="button" className="small danger" onClick={() => void api.delete(one(each)).then(refresh, setError)}>Delete</button>
    </span>
  );
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <Loaded query={query}>
        {(data) => !data.items.length ? <Empty title="No schedule">The server runs a suite file by the clock and tells of what it finds.</Empty> : (
          <table className="grid">
            <thead><tr><th>Suite</th><th>When</th><th>Next</th><th>By</th><th /></tr></thead>
            <tbody>
              {data.items.map((each) => (
                <tr key={each.id}>
                  <td className="key1">{visible(each.name)}<span className="muted small-text mono clamp1">{visible(each.suite)}</span></td>
                  <td data-l="when"><code>{visible(each.cron)}</code> <span className="muted">{visible(each.timezone)}</span></td><td data-l="next" title={moment(each.next_at)}>{each.enabled ? relative(each.next_at) : <span className="pill muted">held</span>}</td>
                  <td data-l="by">{visible(each.created_by ?? "")}</td><td className="n">{project.can("engineer") && actions(each)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      <form className="card inline-form" onSubmit={add.onSubmit}>
        <Field label="Name" error={add.fieldError("name")}><input name="name" required /></Field>
        <Field label="Suite file" error={add.fieldError("suite")}><input name="suite" required list="suite-files" placeholder="support.yaml" /><datalist id="suite-files">{(files.data?.items ?? []).map((file) => <option key={file} value={file} />)}</datalist></Field>
        <Field label="When (cron)" hint="minute hour day month weekday" error={add.fieldError("cron")}><input name="cron" required placeholder="30 5 * * 1-5" className="mono" /></Field>
        <Field label="Time zone" error={add.fieldError("timezone")}><input name="timezone" placeholder="Europe/Berlin" /></Field>
        <button type="submit" className="primary" disabled={add.busy}>Add a schedule</button>
        <FormError error={add.error} />
      </form>
      {shown && <Slots schedule={shown} path={one(shown)} onClose={() => setShown(null)} />}
    </>
  );
}

function Slots({ schedule, path, onClose }: { schedule: Schedule; path: string; onClose: () => void }) {
  const project = useProject();
  const query = useGet<Listing<Slot>>(`${path}/slots`, {}, { refetchInterval: 5_000 });
  return (
    <Dialog title={visible(schedule.name)} onClose={onClose} wide>
      <Loaded query={query}>
        {(data) => !data.items.length ? <Empty title="Its time has not come yet" /> : (
          <table className="plain-table">
            <thead><tr><th>Time</th><th>What became of it</th><th>Run</th><th /></tr></thead>
            <tbody>{data.items.map((slot) => (
              <tr key={slot.slot_at}><td>{moment(slot.slot_at)}</td><td><State state={slot.state} /> <span className="muted">{visible(slot.note ?? "")}</span></td><td>{slot.run_id && <Link to={project.page(`/runs/${encodeURIComponent(slot.run_id)}`)} onClick={onClose}>{visible(slot.run_id)}</Link>}</td><td><a download href={address(`${path}/log`, { slot_at: slot.slot_at })}>log</a></td></tr>
            ))}</tbody>
          </table>
        )}
      </Loaded>
    </Dialog>
  );
}
