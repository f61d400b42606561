"""People at the workbench: a page with its watchers, and the API as that page's session."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

PASSWORD = "a long enough password"
API = "/api/v1"

_WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation',
  event => window.__violations.push(event.violatedDirective + ' ' + event.blockedURI));
"""


class Client:
    """The API as somebody who is signed in in a browser."""

    def __init__(self, page: Any, url: str) -> None:
        self._request = page.request
        self._url = url + API
        self._csrf = self.get("/session")["csrf"]

    def get(self, path: str) -> Any:
        return self._answer(self._request.get(self._url + path))

    def post(self, path: str, body: Any = None) -> Any:
        return self._answer(self._request.post(self._url + path, data=body or {}, headers={"X-CSRF-Token": self._csrf}))

    def put(self, path: str, body: Any) -> Any:
        return self._answer(self._request.put(self._url + path, data=body, headers={"X-CSRF-Token": self._csrf}))

    @staticmethod
    def _answer(response: Any) -> Any:
        assert response.ok, f"{response.url}: {response.status} {response.text()}"
        return response.json() if response.status != 204 else None


class Workbench:
    """A server, where it is and what lies in it."""

    def __init__(self, *, url: str, code: str, workspace: Path) -> None:
        self.url = url
        self.code = code
        self.workspace = workspace

    def client(self, page: Any) -> Client:
        return Client(page, self.url)

    def runs(self, suite: str) -> list[str]:
        """Ids of a suite's runs, oldest first."""
        return sorted(path.name for path in (self.workspace / "runs").iterdir() if f"-{suite}-" in path.name)

    @staticmethod
    def case(run: str, case_id: str) -> str:
        """Address of a case's page."""
        return f"/p/default/runs/{run}/cases/{quote(case_id, safe='')}"


class Watched:
    """A page of somebody, and everything that went wrong on it."""

    def __init__(self, workbench: Workbench, context: Any) -> None:
        self.workbench = workbench
        self.context = context
        self._found: list[str] = []
        self.page = context.new_page()
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self._found.append(f"error on the page: {error}"))
        self.page.on("request", self._sent)
        self.page.on("console", self._said)
        self.page.on("framenavigated", self._moved)

    @classmethod
    def open(cls, workbench: Workbench, browser: Any, username: str, path: str, **options: Any) -> Watched:
        """Sign somebody in through the page, then go to an address."""
        context = browser.new_context(viewport={"width": 1500, "height": 950}, **options)
        context.add_init_script(_WATCH)
        watched = cls(workbench, context)
        watched.sign_in(username)
        if path != "/":
            watched.go(path)
        return watched

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        self.page.goto(self.workbench.url + "/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("nav[aria-label=Main], main.alone", state="attached")

    def go(self, path: str) -> None:
        self.note_violations()
        self.page.goto(self.workbench.url + path)
        self.page.wait_for_selector("h1")
        self.settle()

    def glance(self, path: str, wanted: str) -> None:
        """Go to an address and wait for one thing on it only."""
        self.note_violations()
        self.page.goto(self.workbench.url + path)
        self.page.wait_for_selector(wanted)

    def settle(self) -> None:
        """Wait until nothing is loading."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(80)
        self.page.wait_for_function("() => !document.querySelector('.loading, .stale')")

    def client(self) -> Client:
        return self.workbench.client(self.page)

    def _dialog(self, dialog: Any) -> None:
        self._found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _sent(self, request: Any) -> None:
        if not request.url.startswith((self.workbench.url, "about:blank")):
            self._found.append(f"request: {request.url[:200]}")

    def _said(self, message: Any) -> None:
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            self._found.append(f"console: {message.text[:300]}")

    def _moved(self, frame: Any) -> None:
        if not frame.url.startswith((self.workbench.url, "about:blank")):
            self._found.append(f"went to {frame.url[:200]}")

    def note_violations(self) -> None:
        """Take down what the page saw of its own policy, and whether a foreign script ran."""
        if self.page.url == "about:blank":
            return
        self._found += self.page.evaluate("window.__violations ?? []")
        if self.page.evaluate("window.__ran !== undefined"):
            self._found.append("a hostile script ran")
        if self.page.frames[1:]:
            self._found.append("a frame appeared")

    def problems(self) -> list[str]:
        return list(dict.fromkeys(self._found))

    def close(self) -> None:
        self.note_violations()
        self.context.close()
