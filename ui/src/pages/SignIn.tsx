import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, setCsrf } from "../api/client";
import { useGet } from "../api/queries";
import type { Listing, Session } from "../api/types";
import { Field, FormError, useSubmit } from "../components/Form";
import { Icon } from "../components/Icon";

interface Provider {
  id: string;
  title: string;
}

const REFUSALS: Record<string, string> = {
  unreachable: "The place you sign in at does not answer.",
  unknown: "Nobody of that identity has an account here. An administrator can add one.",
};

export function SignIn() {
  const refused = new URLSearchParams(window.location.search).get("error") ?? "";
  const client = useQueryClient();
  const providers = useGet<Listing<Provider>>("/oidc/providers");
  const oidc = providers.data?.items ?? [];
  const back = window.location.pathname.startsWith("/p/") ? window.location.pathname + window.location.search : "/";
  useEffect(() => { document.title = "Sign in · Evalwright"; }, []);
  const submit = useSubmit(async (values) => {
    const session = await api.post<Session>("/session", { username: values["username"], password: values["password"] });
    setCsrf(session.csrf);
    client.setQueryData(["session"], session);
  });
  return (
    <main className="door" id="main">
      <div className="brand"><Icon name="logo" /> Evalwright</div>
      <form className="card" onSubmit={submit.onSubmit}>
        <h1>Sign in</h1>
        <Field label="User name"><input name="username" autoComplete="username" required autoFocus /></Field>
        <Field label="Password"><input name="password" type="password" autoComplete="current-password" required /></Field>
        <FormError error={submit.error} />
        {refused && !submit.error && <div className="problem" role="alert"><b>{REFUSALS[refused] ?? "The other place did not let you in."}</b></div>}
        <button type="submit" className="primary" disabled={submit.busy}>Sign in</button>
        {oidc.map((provider) => (
          <a key={provider.id} className="button" href={`/api/v1/oidc/${encodeURIComponent(provider.id)}/start?next=${encodeURIComponent(back)}`}>Sign in with {provider.title}</a>
        ))}
      </form>
    </main>
  );
}
