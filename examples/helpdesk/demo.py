"""What `make demo` runs: the example suite, ending in a verdict and a report.

The exit code says whether the evaluation ran to its end, not whether the gate passed: the example product has
real faults, and finding them is the point.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
EVALUATED = {0, 1, 3}
"""Gate passed, gate failed, inconclusive: in each case the run is complete."""


def main(arguments: list[str]) -> int:
    """Run the suite with further options of `evalwright run`, e.g. `--limit 50`."""
    command = Path(sys.executable).with_name("evalwright")
    suite = HERE / "suite.yaml"
    print(f"$ evalwright run {suite.relative_to(HERE.parents[1])} {' '.join(arguments)}".rstrip(), flush=True)
    code = subprocess.run([command, "run", suite, *arguments], check=False).returncode  # noqa: S603
    return 0 if code in EVALUATED else code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
