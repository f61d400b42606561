import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing, Member } from "../../api/types";
import { useProject } from "../../app/session";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Loaded, Problem } from "../../components/Status";
import { visible } from "../../lib/hidden";

export const ROLES = ["viewer", "reviewer", "engineer", "lead", "admin"] as const;

const MEANINGS: Record<string, string> = {
  viewer: "reads figures, runs and reports", reviewer: "labels, proposes", engineer: "runs suites, adds cases, asks for waivers",
  lead: "makes queues, adjudicates, agrees to changes and waivers", admin: "everything, members too",
};

export function Members() {
  const project = useProject();
  const client = useQueryClient();
  const path = project.api("/members");
  const query = useGet<Listing<Member> | Member[]>(path);
  const [error, setError] = useState<unknown>(null);
  const refresh = () => client.invalidateQueries({ queryKey: [path] });
  const put = (username: string, role: string) => api.put(`${path}/${encodeURIComponent(username)}`, { role }).then(refresh, setError);
  const add = useSubmit(async (values) => {
    await api.put(`${path}/${encodeURIComponent(values["username"] ?? "")}`, { role: values["role"] });
    await refresh();
  });
  const admin = project.can("admin");
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <Loaded query={query}>
        {(data) => (
          <table className="grid">
            <thead><tr><th>Member</th><th>Role</th><th>May</th><th /></tr></thead>
            <tbody>
              {(Array.isArray(data) ? data : data.items).map((member) => (
                <tr key={member.username}>
                  <td className="key1">{visible(member.username)}</td>
                  <td>{admin ? <select aria-label={`role of ${member.username}`} value={member.role} onChange={(event) => void put(member.username, event.target.value)}>{ROLES.map((role) => <option key={role}>{role}</option>)}</select> : member.role}</td>
                  <td className="muted">{MEANINGS[member.role]}</td>
                  <td className="n">{admin && <button type="button" className="small danger" onClick={() => void api.delete(`${path}/${encodeURIComponent(member.username)}`).then(refresh, setError)}>Take out</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {admin && (
        <form className="card inline-form" onSubmit={add.onSubmit}>
          <Field label="User name" error={add.fieldError("username")}><input name="username" required /></Field>
          <Field label="Role"><select name="role" defaultValue="viewer">{ROLES.map((role) => <option key={role}>{role}</option>)}</select></Field>
          <button type="submit" className="primary" disabled={add.busy}>Add a member</button>
          <FormError error={add.error} />
        </form>
      )}
    </>
  );
}
