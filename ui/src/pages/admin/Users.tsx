import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing, User } from "../../api/types";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Loaded, Problem } from "../../components/Status";
import { day } from "../../lib/format";
import { visible } from "../../lib/hidden";

export function Users() {
  const client = useQueryClient();
  const query = useGet<Listing<User>>("/users");
  const [error, setError] = useState<unknown>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["/users"] });
  const change = (username: string, body: Record<string, unknown>) => api.patch(`/users/${encodeURIComponent(username)}`, body).then(refresh, setError);
  const add = useSubmit(async (values) => {
    await api.post("/users", { username: values["username"], password: values["password"], name: values["name"] ?? "", email: values["email"] ?? "" });
    await refresh();
  });
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <Loaded query={query}>
        {(data) => (
          <table className="grid">
            <thead><tr><th>User</th><th>Name</th><th>E-mail</th><th>Signs in by</th><th className="n">Since</th><th /></tr></thead>
            <tbody>
              {data.items.map((user) => (
                <tr key={user.username}>
                  <td className="key1">{visible(user.username)} {user.admin && <span className="pill">admin</span>} {user.disabled && <span className="pill muted">locked out</span>}</td>
                  <td data-l="name">{visible(user.name)}</td><td data-l="e-mail">{visible(user.email ?? "")}</td><td>{user.identity ? visible(user.identity) : "password"}</td><td className="n">{day(user.created_at)}</td>
                  <td className="n"><span className="actions"><button type="button" className="small" onClick={() => void change(user.username, { admin: !user.admin })}>{user.admin ? "No admin" : "Make admin"}</button><button type="button" className="small danger" onClick={() => void change(user.username, { disabled: !user.disabled })}>{user.disabled ? "Let in again" : "Lock out"}</button></span></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      <form className="card inline-form" onSubmit={add.onSubmit} autoComplete="off">
        <Field label="User name" error={add.fieldError("username")}><input name="username" required autoComplete="off" /></Field>
        <Field label="Name"><input name="name" autoComplete="off" /></Field>
        <Field label="E-mail"><input name="email" type="email" autoComplete="off" /></Field>
        <Field label="First password" error={add.fieldError("password")}><input name="password" type="password" required minLength={12} autoComplete="new-password" /></Field>
        <button type="submit" className="primary" disabled={add.busy}>Add a person</button>
        <FormError error={add.error} />
      </form>
    </>
  );
}
