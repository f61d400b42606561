import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../api/client";
import { Field, FormError, useSubmit } from "../components/Form";
import { Icon } from "../components/Icon";

/** The first start: whoever can read the server's terminal makes the first administrator. */
export function Setup() {
  const client = useQueryClient();
  useEffect(() => { document.title = "Set up · Evalwright"; }, []);
  const code = new URLSearchParams(window.location.search).get("code") ?? "";
  const submit = useSubmit(async (values) => {
    await api.post("/setup", { username: values["username"], password: values["password"], name: values["name"], email: values["email"] ?? "", code: values["code"] });
    await client.invalidateQueries({ queryKey: ["session"] });
    await client.invalidateQueries({ queryKey: ["/setup"] });
  });
  return (
    <main className="door" id="main">
      <div className="brand"><Icon name="logo" /> Evalwright</div>
      <form className="card" onSubmit={submit.onSubmit}>
        <h1>Set up the workbench</h1>
        <p className="muted">There is no account yet. This one becomes the administrator, who adds everybody else.</p>
        <Field label="One-time code" hint="The server printed it when it started." error={submit.fieldError("code")}><input name="code" required autoComplete="off" defaultValue={code} className="mono" autoFocus /></Field>
        <Field label="User name" error={submit.fieldError("username")}><input name="username" autoComplete="username" required /></Field>
        <Field label="Your name" error={submit.fieldError("name")}><input name="name" autoComplete="name" required /></Field>
        <Field label="E-mail (optional)" error={submit.fieldError("email")}><input name="email" type="email" autoComplete="email" /></Field>
        <Field label="Password" hint="At least 12 characters." error={submit.fieldError("password")}><input name="password" type="password" autoComplete="new-password" minLength={12} required /></Field>
        <FormError error={submit.error} />
        <button type="submit" className="primary" disabled={submit.busy}>Create the account</button>
      </form>
    </main>
  );
}
