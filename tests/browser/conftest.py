"""A real server on a workspace of real runs, and Chromium before it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import hostile
from tests.browser.kit import PASSWORD, Watched, Workbench

CHROMIUM = Path(os.environ.get("EVALWRIGHT_CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src/evalwright/server/static"
COMMAND = Path(sys.executable).with_name("evalwright")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these are slow."""
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.slow)


def run(arguments: list[str | Path], cwd: Path) -> None:
    """A command of the product that must not fail (a gate may)."""
    done = subprocess.run([COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1, 3}, done.stdout + done.stderr


@pytest.fixture(scope="session")
def pages() -> Path:
    """The built pages; built anew where they are stale and there is Node."""
    sys.path.insert(0, str(ROOT / "ui"))
    try:
        import build  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    try:
        build.build()
    except RuntimeError as missing:
        if not (STATIC / "index.html").is_file():
            pytest.skip(str(missing))
    return STATIC


HOSTILE_SUITE = """suite: hostile
description: What a model may write.
target:
  type: recorded
  file: answers-{name}.jsonl
  fields: {{id: id, text: text, contexts: contexts, citations: citations,
            tool_calls: tool_calls, messages: messages, steps: steps}}
dataset: {{file: cases.jsonl}}
slices: {{kind: metadata.kind}}
scorers: [exact_match, token_f1]
gate: [{{metric: token_f1, at_least: 0.5}}]
"""


def hostile_files(folder: Path) -> None:
    """Cases and two sets of recorded answers, every part of them hostile."""
    texts = hostile.strings()
    with (folder / "cases.jsonl").open("w", encoding="utf-8") as out:
        for place, text in enumerate(texts):
            case = {
                "id": f"h/{place:03d}",
                "input": {"question": text or "empty", "messages": [{"role": "user", "content": text}]},
            }
            case |= {
                "expected": text or "empty",
                "metadata": {"note": text, "kind": text[:40] or "none"},
                "tags": [text[:30] or "none"],
            }
            out.write(json.dumps(case) + "\n")
    for name, turn in (("one", 0), ("two", 7)):
        with (folder / f"answers-{name}.jsonl").open("w", encoding="utf-8") as out:
            for place in range(len(texts)):
                text = texts[(place + turn) % len(texts)]
                out.write(json.dumps(hostile_answer(f"h/{place:03d}", text)) + "\n")
        (folder / f"{name}.yaml").write_text(HOSTILE_SUITE.format(name=name), "utf-8")


def hostile_answer(case_id: str, text: str) -> dict[str, Any]:
    """An answer with the text in every place an answer has."""
    step = {
        "kind": "llm",
        "name": text[:200] or "step",
        "input": text,
        "output": text,
        "start_s": 0.0,
        "duration_s": 0.1,
    }
    return {
        "id": case_id,
        "text": text,
        "contexts": [{"id": text[:80], "text": text}, {"id": "plain", "text": text}],
        "citations": [text[:80]],
        "tool_calls": [
            {"name": text[:60] or "tool", "arguments": {text[:40]: text}, "result": text},
            {"name": "t", "error": text},
        ],
        "messages": [{"role": "user", "content": text}, {"role": text[:20] or "assistant", "content": text}],
        "steps": [{**step, "children": [step, {**step, "error": text}]}],
    }


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with runs of the help desk, hostile runs, and a hostile golden set."""
    folder = tmp_path_factory.mktemp("workbench")
    place = folder / "ws"
    hostile_files(folder)
    for name in ("one", "two"):
        run(["run", f"{name}.yaml", "-w", place], folder)
    for seed in ("1", "2"):
        run(["run", ROOT / "examples/helpdesk/suite.yaml", "-w", place, "--limit", "60", "--seed", seed], folder)
    return place


@pytest.fixture(scope="session")
def workbench(workspace: Path, pages: Path) -> Iterator[Workbench]:
    """The server, set up: ada (admin), ben and cora (reviewers), dan (lead), eve (viewer)."""
    log = workspace.parent / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen([COMMAND, "serve", "-w", workspace, "--port", "0"], stderr=out, stdout=out)
    try:
        url, code = _announced(process, log)
        yield Workbench(url=url, code=code, workspace=workspace)
    finally:
        process.terminate()
        process.wait(20)


def _announced(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    for _ in range(200):
        said = log.read_text()
        url, code = re.search(r"at (http://\S+)", said), re.search(r"code (\S+)", said)
        if url and code:
            return url[1], code[1]
        assert process.poll() is None, said
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's browser, driven by Playwright."""
    if not CHROMIUM.is_file():
        pytest.skip(f"no browser at {CHROMIUM}: install chromium, or set EVALWRIGHT_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="install with: pip install playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def people(workbench: Workbench, chromium: Any) -> Workbench:
    """The server with its people; the admin is made in the browser, as at a first start."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{workbench.url}/setup")
    page.fill("input[name=code]", workbench.code)
    page.fill("input[name=username]", "ada")
    page.fill("input[name=name]", "Ada")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/overview")
    admin = workbench.client(page)
    for username, role in (("ben", "reviewer"), ("cora", "reviewer"), ("dan", "lead"), ("eve", "viewer")):
        admin.post("/users", {"username": username, "password": PASSWORD, "name": username.title()})
        admin.put(f"/projects/default/members/{username}", {"role": role})
    context.close()
    return workbench


@pytest.fixture
def visit(people: Workbench, chromium: Any) -> Iterator[Callable[..., Watched]]:
    """Open a page as somebody; what must never happen on any page is looked at when the test ends."""
    opened: list[Watched] = []

    def opening(username: str, path: str = "/", **options: Any) -> Watched:
        watched = Watched.open(people, chromium, username, path, **options)
        opened.append(watched)
        return watched

    yield opening
    for watched in opened:
        watched.close()
    for watched in opened:
        assert watched.problems() == []
