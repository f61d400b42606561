/** The frame of every page: project, navigation, palette, theme, help, and who is signed in. */

import { useState, type ReactNode } from "react";
import { Menu } from "../components/Menu";
import { Icon, type IconName } from "../components/Icon";
import { KeyHelp } from "./KeyHelp";
import { useKeys } from "./keys";
import { Palette } from "./Palette";
import { Link, navigate, useLocation } from "./router";
import { useProject, useSession, useSignOut } from "./session";
import { nextTheme, setTheme, theme } from "./theme";
import type { Role } from "../api/types";

export interface Place {
  path: string;
  title: string;
  icon: IconName;
  role?: Role;
  group: string;
}

export const PLACES: Place[] = [
  { path: "/overview", title: "Overview", icon: "home", group: "Decide" },
  { path: "/gates", title: "Gates and waivers", icon: "gate", group: "Decide" },
  { path: "/runs", title: "Runs", icon: "runs", group: "Look" },
  { path: "/compare", title: "Compare", icon: "compare", group: "Look" },
  { path: "/trends", title: "Trends", icon: "trend", group: "Look" },
  { path: "/findings", title: "Findings", icon: "finding", group: "Look" },
  { path: "/suites", title: "Suites", icon: "suite", group: "Build" },
  { path: "/datasets", title: "Datasets", icon: "data", group: "Build" },
  { path: "/review", title: "Review", icon: "review", group: "Build" },
  { path: "/admin", title: "Admin", icon: "admin", role: "lead", group: "Run" },
];

export function Shell({ children }: { children: ReactNode }) {
  const project = useProject();
  const { path } = useLocation();
  const [open, setOpen] = useState<"" | "palette" | "help" | "nav">("");
  useKeys("Everywhere", [
    { key: "Ctrl+k", what: "go anywhere", typing: true, run: () => setOpen("palette") },
    { key: "?", what: "all keys of this page", run: () => setOpen("help") },
  ]);
  const places = PLACES.filter((place) => !place.role || project.can(place.role));
  return (
    <div className={`shell ${open === "nav" ? "nav-open" : ""}`}>
      <a className="skip" href="#main">Skip to the content</a>
      <header className="top">
        <button type="button" className="icon nav-button" aria-label="Navigation" aria-expanded={open === "nav"} onClick={() => setOpen(open === "nav" ? "" : "nav")}><Icon name="menu" /></button>
        <Link to={project.page("/overview")} className="brand"><Icon name="logo" /> Evalwright</Link>
        <button type="button" className="icon" aria-label="Search" onClick={() => setOpen("palette")}><Icon name="search" /></button>
      </header>
      <nav className="side" aria-label="Main">
        <Link to={project.page("/overview")} className="brand"><Icon name="logo" /> Evalwright</Link>
        <ProjectSwitch />
        <button type="button" className="search-button" onClick={() => setOpen("palette")}><Icon name="search" /> Go to … <kbd>Ctrl K</kbd></button>
        <ul onClick={() => setOpen("")}>
          {places.map((place, index) => (
            <li key={place.path} className={index > 0 && places[index - 1]?.group !== place.group ? "first" : ""}>
              <Link to={project.page(place.path)} aria-current={path.startsWith(project.page(place.path)) ? "page" : undefined}>
                <Icon name={place.icon} /> {place.title}
              </Link>
            </li>
          ))}
        </ul>
        <Foot onHelp={() => setOpen("help")} />
      </nav>
      {open === "nav" && <div className="scrim" onClick={() => setOpen("")} />}
      {children}
      {open === "palette" && <Palette onClose={() => setOpen("")} />}
      {open === "help" && <KeyHelp onClose={() => setOpen("")} />}
    </div>
  );
}

function ProjectSwitch() {
  const session = useSession();
  const project = useProject();
  const { path } = useLocation();
  const rest = path.split("/").slice(3, 4).join("/") || "overview";
  const go = (name: string) => navigate(`/p/${encodeURIComponent(name)}/${rest}`);
  if (session.projects.length < 2) return <div className="project one">{project.title}</div>;
  return (
    <select className="project" aria-label="Project" value={project.name} onChange={(event) => go(event.target.value)}>
      {session.projects.map((each) => <option key={each.name} value={each.name}>{each.title || each.name}</option>)}
    </select>
  );
}

function Foot({ onHelp }: { onHelp: () => void }) {
  const session = useSession();
  const project = useProject();
  const signOut = useSignOut();
  const [chosen, setChosen] = useState(theme());
  const turn = () => {
    const next = nextTheme(chosen);
    setTheme(next);
    setChosen(next);
  };
  return (
    <div className="side-foot">
      <div className="side-buttons">
        <button type="button" className="icon" onClick={turn} title={`Theme: ${chosen}`} aria-label={`Theme: ${chosen}; change`}><Icon name={chosen === "dark" ? "moon" : chosen === "light" ? "sun" : "half"} /></button>
        <button type="button" className="icon" onClick={onHelp} title="Keys of this page (?)" aria-label="Keys of this page"><Icon name="keys" /></button>
      </div>
      <Menu label={<span className="who"><b>{session.user.name || session.user.username}</b><span className="muted">{project.role}</span></span>}>
        <Link className="item" to={project.page("/account")}>Account and tokens</Link>
        <button type="button" className="item" onClick={() => void signOut()}>Sign out</button>
        <p className="muted small-text">Evalwright {session.server.version}</p>
      </Menu>
    </div>
  );
}
