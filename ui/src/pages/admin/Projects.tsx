import { useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client";
import { useSession } from "../../app/session";
import { Link } from "../../app/router";
import { Field, FormError, useSubmit } from "../../components/Form";
import { visible } from "../../lib/hidden";

export function Projects() {
  const session = useSession();
  const client = useQueryClient();
  const add = useSubmit(async (values) => {
    await api.post("/projects", { name: values["name"], title: values["title"] ?? "" });
    await client.invalidateQueries({ queryKey: ["session"] });
  });
  return (
    <>
      <table className="grid">
        <thead><tr><th>Project</th><th>Title</th><th>Your role</th></tr></thead>
        <tbody>{session.projects.map((project) => <tr key={project.name}><td className="key1"><Link to={`/p/${encodeURIComponent(project.name)}/overview`}>{visible(project.name)}</Link></td><td>{visible(project.title)}</td><td>{project.role}</td></tr>)}</tbody>
      </table>
      <form className="card inline-form" onSubmit={add.onSubmit}>
        <Field label="Name" hint="small letters, digits, hyphens" error={add.fieldError("name")}><input name="name" required /></Field>
        <Field label="Title"><input name="title" /></Field>
        <button type="submit" className="primary" disabled={add.busy}>Add a project</button>
        <FormError error={add.error} />
      </form>
    </>
  );
}
