/** Who may do what, what runs by the clock, who is told, and what was done. */

import type { ReactNode } from "react";
import { useQueryState } from "../../app/router";
import { useProject, useSession } from "../../app/session";
import { Tabs } from "../../components/Filters";
import { Page } from "../../components/Page";
import { Audit } from "./Audit";
import { Members } from "./Members";
import { Projects } from "./Projects";
import { Schedules } from "./Schedules";
import { Users } from "./Users";
import { Webhooks } from "./Webhooks";

export function Admin() {
  const project = useProject();
  const session = useSession();
  const [read] = useQueryState();
  const all: { id: string; title: string; show: boolean; page: ReactNode }[] = [
    { id: "members", title: "Members", show: true, page: <Members /> },
    { id: "schedules", title: "Schedules", show: true, page: <Schedules /> },
    { id: "webhooks", title: "Notifications", show: true, page: <Webhooks /> },
    { id: "audit", title: "Audit", show: true, page: <Audit /> },
    { id: "users", title: "People", show: session.user.admin, page: <Users /> },
    { id: "projects", title: "Projects", show: session.user.admin, page: <Projects /> },
  ];
  const tabs = all.filter((tab) => tab.show);
  const tab = tabs.find((each) => each.id === read("tab", "members")) ?? tabs[0];
  return (
    <Page title="Admin" name="Admin" lead={`Of the project ${project.title}.`}>
      <Tabs name="tab" fallback="members" tabs={tabs} />
      {tab?.page}
    </Page>
  );
}
