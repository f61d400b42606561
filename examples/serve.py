"""What `make serve` runs: an example workspace filled by the example suites, and the workbench on it.

The workspace is `examples/helpdesk/.evalwright`; it is filled once. No account is made: the server prints a one-time
code, with which you make the first admin in the browser.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent / "helpdesk"
WORKSPACE = HERE / ".evalwright"
EVALWRIGHT = Path(sys.executable).with_name("evalwright")
EVALUATED = {0, 1, 3}
"""Gate passed, gate failed, inconclusive: in each case the run is complete."""

GOLDEN = ["dataset", "create", "helpdesk", "--from", "golden.jsonl", "--owner", "team-help-centre", "--tier", "1"]
STEPS = (
    [*GOLDEN, "--cadence-days", "90", "--purpose", "Answers of the help centre", "-m", "written by hand"],
    ["run", "suite.yaml", "--limit", "150", "--quiet"],
    ["baseline", "set", "latest"],
    ["run", "suite.yaml", "--quiet"],
    ["run", "suite-attack.yaml", "--quiet"],
)
"""What fills the workspace: a golden set, a smaller run as the baseline, a full one, and an attack on the product."""


def fill() -> None:
    """Run the example suites, each once."""
    for step in STEPS:
        print("$ evalwright", *step, flush=True)
        code = call(*step)
        if code not in EVALUATED:
            raise SystemExit(code)
    (WORKSPACE / "example-filled").touch()


def call(*words: str) -> int:
    """The exit code of an `evalwright` command on the example workspace."""
    command = [EVALWRIGHT, *words, "--workspace", WORKSPACE]
    return subprocess.run(command, check=False, cwd=HERE).returncode  # noqa: S603


def main(arguments: list[str]) -> int:
    """Fill the workspace if that was not done yet, and serve it, with further options of `evalwright serve`."""
    if not (WORKSPACE / "example-filled").exists():
        fill()
    try:
        return call("serve", *arguments)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
