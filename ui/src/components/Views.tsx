/** Saved views: a page's filters under a name, for oneself or for the project. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { Listing } from "../api/types";
import { navigate, useLocation } from "../app/router";
import { useProject, useSession } from "../app/session";
import { Dialog } from "./Dialog";
import { Field, FormError, useSubmit } from "./Form";
import { Menu } from "./Menu";

interface View {
  id: string;
  name: string;
  page: string;
  query: string;
  owner?: string;
  shared?: boolean;
}

/** The saved views of a page, and system presets that always exist. */
export function SavedViews({ page, presets = [] }: { page: string; presets?: { name: string; query: string }[] }) {
  const project = useProject();
  const session = useSession();
  const { path, search } = useLocation();
  const [saving, setSaving] = useState(false);
  const client = useQueryClient();
  const views = useGet<Listing<View> | View[]>(project.api("/views"));
  const all = Array.isArray(views.data) ? views.data : views.data?.items ?? [];
  const mine = all.filter((view) => view.page === page);
  const refresh = () => client.invalidateQueries({ queryKey: [project.api("/views")] });
  const go = (query: string) => navigate(query ? `${path}?${query.replace(/^\?/, "")}` : path);
  const submit = useSubmit(async (values) => {
    await api.post(project.api("/views"), { name: values["name"], page, query: search.toString(), shared: values["shared"] === "on" });
    await refresh();
    setSaving(false);
  });
  return (
    <>
      <Menu label="Views">
        {presets.map((preset) => <button key={preset.name} type="button" className="item" onClick={() => go(preset.query)}>{preset.name}</button>)}
        {presets.length > 0 && <hr />}
        {mine.map((view) => (
          <div key={view.id} className="row">
            <button type="button" className="item" onClick={() => go(view.query)}>{view.name}{view.shared ? <span className="muted"> shared</span> : null}</button>
            {view.owner === session.user.username && (
              <button type="button" className="icon" aria-label={`delete the view ${view.name}`} onClick={() => void api.delete(project.api(`/views/${encodeURIComponent(view.id)}`)).then(refresh)}>✕</button>
            )}
          </div>
        ))}
        {!mine.length && <p className="muted small-text">No saved views of this page.</p>}
        <hr />
        <button type="button" className="item" onClick={() => setSaving(true)}>Save this view …</button>
      </Menu>
      {saving && (
        <Dialog title="Save this view" onClose={() => setSaving(false)}>
          <form onSubmit={submit.onSubmit}>
            <Field label="Name" error={submit.fieldError("name")}><input name="name" required maxLength={80} autoFocus /></Field>
            <label className="check"><input type="checkbox" name="shared" /> everybody in the project sees it</label>
            <FormError error={submit.error} />
            <div className="actions"><button type="submit" className="primary" disabled={submit.busy}>Save</button></div>
          </form>
        </Dialog>
      )}
    </>
  );
}
