/** What a page shows while it has nothing to show: loading, an error with its remedy, or the next thing to do. */

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";

export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div className="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, place) => <div key={place} className="shimmer" />)}
    </div>
  );
}

export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div className="problem" role="alert">
      <b>{known ? known.message : "Something went wrong on this page."}</b>
      {known?.hint && <p>{known.hint}</p>}
      {known?.fields.map((field) => <p key={field.field}><code>{field.field}</code>: {field.message}</p>)}
      {!known && <p className="muted">{error instanceof Error ? error.message : String(error)}</p>}
      {retry && <button type="button" onClick={retry}>Try again</button>}
    </div>
  );
}

/** Nothing here yet, and the command that changes that. */
export function Empty({ title, children, command }: { title: string; children?: ReactNode; command?: string }) {
  return (
    <div className="empty">
      <b>{title}</b>
      {children && <p>{children}</p>}
      {command && <Command text={command} />}
    </div>
  );
}

/** A command to run, with a button that copies it. */
export function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <code>{text}</code>
      <CopyButton text={text} />
    </div>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  return (
    <button type="button" className="small" onClick={(event) => {
      const button = event.currentTarget;
      void navigator.clipboard?.writeText(text).then(() => {
        button.dataset["done"] = "yes";
        setTimeout(() => delete button.dataset["done"], 1200);
      });
    }}>{label}</button>
  );
}

/** Show a query's data, or what it waits for, or why it failed. Old data stays while new data comes. */
export function Loaded<T>({ query, rows, children }: { query: UseQueryResult<T>; rows?: number; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <Problem error={query.error} retry={() => void query.refetch()} />}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} />;
  return <Loading rows={rows ?? 4} />;
}
