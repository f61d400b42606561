/** What people found: failures with their causes, and notes, each leading to its case. */

import { Link, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { Filters } from "../components/Filters";
import { Page } from "../components/Page";
import { Empty } from "../components/Status";
import { moment, relative } from "../lib/format";
import { visible } from "../lib/hidden";
import { placeOf, useNotes } from "./Notes";

export function Findings() {
  const project = useProject();
  const [read] = useQueryState();
  const notes = useNotes();
  const typed = read("q").toLowerCase();
  const shown = notes.filter((note) => (!read("kind") || note.page === read("kind")) && `${note.name} ${note.query} ${note.owner}`.toLowerCase().includes(typed));
  return (
    <Page title="Findings" name="Findings" lead="Failures somebody looked into, with their causes, and notes on cases.">
      <Filters search="Search findings  ( / )" choices={[{ name: "kind", label: "Kind", options: ["finding", "note"] }]} />
      {!shown.length ? <Empty title="No finding">Open a case of a run, and open it as a finding when you know why it failed.</Empty> : (
        <table className="grid">
          <thead><tr><th>Case</th><th>Kind</th><th className="wide">In words</th><th>By</th><th>Run</th><th className="n">When</th></tr></thead>
          <tbody>
            {shown.map((note) => {
              const { run, id } = placeOf(note);
              return (
                <tr key={note.id}>
                  <td className="key1"><Link to={project.page(`/runs/${encodeURIComponent(run)}/cases/${encodeURIComponent(id)}`)}>{visible(id)}</Link></td>
                  <td><span className={`pill ${note.page === "finding" ? "warn" : ""}`}>{note.page}</span></td><td className="wide">{visible(note.name)}</td><td data-l="by">{visible(note.owner)}</td>
                  <td data-l="run"><Link to={project.page(`/runs/${encodeURIComponent(run)}`)}>{visible(run)}</Link></td><td className="n" title={moment(note.created_at)}>{relative(note.created_at)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Page>
  );
}
