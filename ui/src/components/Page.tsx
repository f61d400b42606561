/** The head of every page: where one is, what can be done here. */

import { useEffect, type ReactNode } from "react";
import { Link } from "../app/router";

interface PageProps {
  title: ReactNode;
  name: string;
  crumbs?: { text: ReactNode; to: string }[];
  actions?: ReactNode;
  lead?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}

export function Page({ title, name, crumbs = [], actions, lead, children, wide = false }: PageProps) {
  useEffect(() => {
    document.title = `${name} · Evalwright`;
  }, [name]);
  return (
    <main className={wide ? "wide" : ""} id="main">
      <header className="page-head">
        <div className="page-title">
          {crumbs.length > 0 && <nav className="crumbs" aria-label="Breadcrumb">{crumbs.map((crumb, place) => <Link key={place} to={crumb.to}>{crumb.text}</Link>)}</nav>}
          <h1>{title}</h1>
          {lead && <div className="lead">{lead}</div>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </main>
  );
}

export function Section({ title, note, actions, children, id }: { title: ReactNode; note?: ReactNode; actions?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section id={id}>
      <div className="section-head"><h2>{title}</h2>{note && <span className="muted">{note}</span>}{actions && <div className="section-actions">{actions}</div>}</div>
      {children}
    </section>
  );
}
