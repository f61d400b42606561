import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, setCsrf } from "../api/client";
import { useGet } from "../api/queries";
import type { Session } from "../api/types";
import { Field, FormError, useSubmit } from "../components/Form";
import { Icon } from "../components/Icon";

interface Provider {
  id: string;
  title: string;
}

export function SignIn() {
  const client = useQueryClient();
  const providers = useGet<Provider[] | { items: Provider[] }>("/oidc/providers");
  const oidc = Array.isArray(providers.data) ? providers.data : providers.data?.items ?? [];
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
        <button type="submit" className="primary" disabled={submit.busy}>Sign in</button>
        {oidc.map((provider) => (
          <a key={provider.id} className="button" href={`/api/v1/oidc/${encodeURIComponent(provider.id)}/login?next=${encodeURIComponent(window.location.pathname + window.location.search)}`}>Sign in with {provider.title}</a>
        ))}
      </form>
    </main>
  );
}
