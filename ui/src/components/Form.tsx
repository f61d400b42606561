/** Forms: labelled fields, errors beside the field the server named. */

import { useState, type FormEvent, type ReactNode } from "react";
import { ApiError } from "../api/client";

export function Field({ label, hint, error, children }: { label: string; hint?: ReactNode; error?: string | undefined; children: ReactNode }) {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
      {hint && <small className="muted">{hint}</small>}
      {error && <small className="error-text" role="alert">{error}</small>}
    </label>
  );
}

export type Values = Record<string, string>;

/** The values of a form's fields by name; unchecked boxes are left out. */
export function valuesOf(form: HTMLFormElement): Values {
  const values: Values = {};
  new FormData(form).forEach((value, name) => {
    if (typeof value === "string") values[name] = name in values ? `${values[name]},${value}` : value;
  });
  return values;
}

interface SubmitState {
  busy: boolean;
  error: ApiError | null;
  fieldError: (name: string) => string | undefined;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
}

/** Send a form; the server's words are shown when it refuses. */
export function useSubmit(send: (values: Values) => Promise<unknown>): SubmitState {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    send(valuesOf(event.currentTarget))
      .catch((caught: unknown) => setError(caught instanceof ApiError ? caught : new ApiError(0, "error", String(caught))))
      .finally(() => setBusy(false));
  };
  const fieldError = (name: string) => error?.fields.find((field) => field.field === name || field.field.endsWith(`.${name}`))?.message;
  return { busy, error, fieldError, onSubmit };
}

/** The server's refusal above the buttons of a form. */
export function FormError({ error }: { error: ApiError | null }) {
  if (!error) return null;
  return (
    <div className="problem" role="alert">
      <b>{error.message}</b>
      {error.hint && <p>{error.hint}</p>}
      {error.fields.map((field) => <p key={field.field}><code>{field.field}</code>: {field.message}</p>)}
    </div>
  );
}
