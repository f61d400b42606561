/** Which page an address shows, and what must be true before: set up, signed in, a member of the project. */

import { useQueryClient } from "@tanstack/react-query";
import { Component, Suspense, useEffect, type ReactNode } from "react";
import { useGet } from "../api/queries";
import { Loading, Problem } from "../components/Status";
import { SignIn } from "../pages/SignIn";
import { Setup } from "../pages/Setup";
import { NoProject, NotFound } from "../pages/NotFound";
import { ROUTES } from "../pages/routes";
import { match, navigate, useLocation } from "./router";
import { ProjectContext, SessionContext, projectInfo, useSessionQuery } from "./session";
import { Shell } from "./Shell";
import type { Session } from "../api/types";

export function App() {
  const session = useSessionQuery();
  const setup = useGet<{ needed: boolean }>("/setup", {}, { enabled: session.data === null });
  useSignedOut();
  if (session.isError) return <div className="alone"><Problem error={session.error} retry={() => void session.refetch()} /></div>;
  if (session.data === undefined) return <div className="alone"><Loading /></div>;
  if (session.data === null) {
    if (setup.isPending) return <div className="alone"><Loading /></div>;
    return setup.data?.needed ? <Setup /> : <SignIn />;
  }
  return (
    <SessionContext.Provider value={session.data}>
      <SignedIn session={session.data} />
    </SessionContext.Provider>
  );
}

/** A request that is refused because the session ended leads back to the sign-in. */
function useSignedOut() {
  const client = useQueryClient();
  useEffect(() => client.getQueryCache().subscribe((event) => {
    const error = event.query.state.error as { status?: number } | null;
    if (event.type === "updated" && error?.status === 401 && client.getQueryData(["session"])) client.setQueryData(["session"], null);
  }), [client]);
}

function SignedIn({ session }: { session: Session }) {
  const { path } = useLocation();
  const first = session.projects[0]?.name ?? (session.user.admin ? "default" : undefined);
  const home = !path.startsWith("/p/");
  useEffect(() => {
    if (home && first) navigate(`/p/${encodeURIComponent(first)}/overview`, { replace: true });
  }, [home, first]);
  const name = match("/p/:project", path.split("/").slice(0, 3).join("/"))?.["project"] ?? first;
  const project = name ? projectInfo(session, name) : null;
  if (home && first) return null;
  if (!project) return <NoProject name={name} />;
  return (
    <ProjectContext.Provider value={project}>
      <Shell>
        <Guard key={path}>
          <Suspense fallback={<main id="main"><Loading rows={8} /></main>}><CurrentPage path={path} /></Suspense>
        </Guard>
      </Shell>
    </ProjectContext.Provider>
  );
}

function CurrentPage({ path }: { path: string }) {
  const inside = `/${path.split("/").slice(3).join("/")}`;
  for (const [pattern, show] of ROUTES) {
    const parts = match(pattern, inside);
    if (parts) return show(parts);
  }
  return <NotFound />;
}

/** A page that breaks says so and leaves the navigation usable. */
class Guard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error) return <main id="main"><Problem error={this.state.error} retry={() => this.setState({ error: null })} /></main>;
    return this.props.children;
  }
}
