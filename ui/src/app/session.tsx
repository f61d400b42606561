/** Who is signed in, which project is looked at, and what the role there allows. */

import { useQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { ApiError, api, inProject, setCsrf } from "../api/client";
import type { Role, Session } from "../api/types";

const ROLES: Role[] = ["viewer", "reviewer", "engineer", "lead", "admin"];

/** The session, null when signed out, undefined while it is asked for. */
export function useSessionQuery() {
  return useQuery<Session | null>({
    queryKey: ["session"],
    queryFn: async () => {
      try {
        const session = await api.get<Session>("/session");
        setCsrf(session.csrf);
        return session;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 5 * 60_000,
  });
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("this page needs a session");
  return session;
}

export interface ProjectInfo {
  name: string;
  title: string;
  role: Role;
  /** The address of a page in this project. */
  page: (path: string) => string;
  /** The path of the project's part of the API. */
  api: (path: string) => string;
  /** Whether the role reaches at least this far. */
  can: (role: Role) => boolean;
}

export function projectInfo(session: Session, name: string): ProjectInfo | null {
  const found = session.projects.find((project) => project.name === name);
  if (!found && !session.user.admin) return null;
  const role = (found?.role ?? "admin") as Role;
  return {
    name,
    title: found?.title || name,
    role,
    page: (path) => `/p/${encodeURIComponent(name)}${path}`,
    api: (path) => inProject(name, path),
    can: (wanted) => ROLES.indexOf(role) >= ROLES.indexOf(wanted),
  };
}

export const ProjectContext = createContext<ProjectInfo | null>(null);

export function useProject(): ProjectInfo {
  const project = useContext(ProjectContext);
  if (!project) throw new Error("this page needs a project");
  return project;
}

/** Sign out and forget everything that was read. */
export function useSignOut(): () => Promise<void> {
  return async () => {
    await api.delete("/session").catch(() => undefined);
    // A new page, so that nothing that was read stays in memory.
    window.location.assign("/");
  };
}
