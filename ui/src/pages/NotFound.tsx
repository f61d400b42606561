import { Page } from "../components/Page";
import { Link, useLocation } from "../app/router";
import { useProject, useSession, useSignOut } from "../app/session";

export function NotFound() {
  const project = useProject();
  const { path } = useLocation();
  return (
    <Page title="There is no such page" name="Not found">
      <p className="lead"><code>{path}</code> leads nowhere. <Link to={project.page("/overview")}>Go to the overview.</Link></p>
    </Page>
  );
}

export function NoProject({ name }: { name: string | undefined }) {
  const session = useSession();
  const signOut = useSignOut();
  return (
    <main className="alone">
      <h1>{name ? `No access to ${name}` : "No project yet"}</h1>
      <p className="lead">You are signed in as <b>{session.user.username}</b>, who is not a member of {name ? "this project" : "any project"}. A lead of the project can add you.</p>
      <div className="actions">
        {session.projects.map((project) => <Link key={project.name} to={`/p/${encodeURIComponent(project.name)}/overview`}>{project.title || project.name}</Link>)}
        <button type="button" onClick={() => void signOut()}>Sign out</button>
      </div>
    </main>
  );
}
