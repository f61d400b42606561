"""Comparing two stored runs of 100,000 cases with 20 slices: seconds and memory, from the files on disk.

    python benchmarks/compare.py [--cases 100000] [--folder DIR]

The two runs are made once in the folder and kept there; what is timed is reading them and comparing them, in a process
of its own, with everything `evalwright compare --json` prints.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evalwright import Case, Score, Suite, evaluate, scorer
from evalwright.core.run import RunSettings

LOCALES = [f"l{i}" for i in range(10)]
TIERS = ["1", "2", "3", "4"]
INTENTS = [f"intent{i}" for i in range(6)]

RUNS = 3


@scorer("right", kind="proportion")
def right(ctx):
    """The answer is the expected one."""
    return Score.of(ctx.output.text == ctx.case.expected)


@scorer("grade", kind="mean")
def grade(ctx):
    """A graded score between 0 and 1."""
    return Score.of(ctx.output.data)


def suite(cases: int) -> Suite:
    """The suite: 20 slices (10 locales, 4 tiers, 6 intents), a verdict and a grade."""
    rng = random.Random(1)
    rows = [
        Case(
            id=f"case/{i:06d}",
            input={"question": f"question {i}", "locale": rng.choice(LOCALES)},
            expected="yes",
            metadata={"tier": rng.choice(TIERS), "intent": rng.choice(INTENTS)},
        )
        for i in range(cases)
    ]
    slices = {"locale": "input.locale", "tier": "metadata.tier", "intent": "metadata.intent"}
    return Suite(name="large", cases=rows, scorers=[right, grade], slices=slices, settings=RunSettings(concurrency=256))


def product(version: int, rate: float):
    """A product that is right on a share of the cases, nearly the same ones in every version."""
    from evalwright import Output

    def answer(question: dict[str, str]) -> Output:
        rng = random.Random(f"{question['question']}")
        luck, own = rng.random(), random.Random(f"{version}{question['question']}").random()
        return Output(text="yes" if luck * 0.8 + own * 0.2 < rate else "no", data=round(0.5 * luck + 0.5 * own, 3))

    return answer


def prepare(folder: Path, cases: int) -> list[str]:
    """Make the two runs unless they are there."""
    marker = folder / f"runs-{cases}.json"
    if marker.is_file():
        return json.loads(marker.read_text())
    what = suite(cases)
    made = [evaluate(what, product(v, r), workspace=folder / "ws").run_id for v, r in ((1, 0.80), (2, 0.81))]
    marker.write_text(json.dumps(made))
    return made


CHILD = """
import json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
from evalwright.reports.compare.json_report import comparison_object
from evalwright.reports.json_report import json_line
from evalwright.services.comparing import compare_runs
from evalwright.store.workspace import Workspace
imported = time.perf_counter()
place = Workspace.open(Path(sys.argv[1]))
found = compare_runs([place.run(run) for run in sys.argv[2:]])
text = json_line(comparison_object(found.record))
done = time.perf_counter()
cpu = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"import_s": imported - start, "compare_s": done - imported, "cpu_s": cpu.ru_utime + cpu.ru_stime,
                  "peak_mib": cpu.ru_maxrss / 1024, "slices": len(found.pair.slices), "characters": len(text)}))
"""


def measure(folder: Path, runs: list[str]) -> dict[str, float]:
    """One comparison in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder / "ws"), *runs], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    """Make the runs, compare them a few times, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "evalwright-benchmark-compare")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    runs = prepare(options.folder, options.cases)
    print(f"runs of {options.cases:,} cases ready after {time.perf_counter() - start:.1f} s")
    for _ in range(RUNS):
        found = measure(options.folder, runs)
        print(
            f"compare {found['compare_s']:.2f} s (imports {found['import_s']:.2f} s, cpu {found['cpu_s']:.2f} s in all)"
            f", peak {found['peak_mib']:.0f} MiB, {found['slices']:.0f} slice figures"
        )
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
