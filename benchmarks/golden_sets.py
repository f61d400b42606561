"""Golden sets: a million cases, and what health finds of what was planted.

    python benchmarks/golden_sets.py [--cases 1000000] [--questions FILE]

The first part imports synthetic cases, makes a second version with 1 % changed, compares the two and draws a stratified
sample, each in a process of its own, and prints seconds of processor time and peak memory. The second part plants
duplicates, rewritten questions, leaks and contradictions into a set of our own (and, with --questions, into the
questions of a JSON Lines file with a `question` each) and counts which are found, which not, and false alarms.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evalwright.core.case import Case
from evalwright.datasets import prepare
from evalwright.datasets.health import HealthQuestion, Outcomes, examine
from evalwright.store.blobs import Blobs

CALL = """
import resource, sys
from evalwright.cli.main import _call
sys.argv = ["evalwright", *sys.argv[1:]]
code = _call()
use = resource.getrusage(resource.RUSAGE_SELF)
print(f"MEASURED {use.ru_utime + use.ru_stime:.1f} {use.ru_maxrss / 1024:.0f}", file=sys.stderr)
sys.exit(code)
"""

WORDS = [
    ("How many", "What is the number of"), ("each", "every"), ("buys", "purchases"), ("has", "owns"),
    ("gets", "receives"), ("total", "sum"), ("makes", "earns"), ("went", "traveled"), ("wants", "would like"),
    ("gives", "hands"), ("week", "seven days"), ("needs", "requires"), ("left", "remaining"), ("more", "further"),
]  # fmt: skip
PRODUCTS = ["kettle", "lamp", "chair", "phone case", "backpack", "bicycle", "printer", "coffee mug", "raincoat", "tent"]
TROUBLES = [
    "arrived with a crack in the side", "has not been delivered although the tracking says so",
    "was charged twice on my card", "makes a loud noise after ten minutes", "is a different colour from the picture",
    "stopped working after the last update", "came without the manual and the screws", "is too small for my son",
]  # fmt: skip
WISHES = ["I want my money back", "Please send another one", "Who pays for the return?", "Can it be repaired nearby?"]


def write_cases(path: Path, count: int, *, changed: int = 0) -> None:
    rng = random.Random(1)
    with path.open("w") as file:
        for n in range(count):
            text = f"question {n} about {rng.choice(PRODUCTS)} {rng.randrange(10**9)}"
            wanted = "changed" if changed and n % changed == 0 else f"answer {n % 97}"
            row = {"id": f"c{n}", "input": text, "expected": wanted, "locale": rng.choice(["de", "en", "fr", "es"])}
            file.write(json.dumps(row) + "\n")


def measured(folder: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-c", CALL, *words], cwd=folder, capture_output=True, text=True, check=False)
    figures = re.search(r"MEASURED (\S+) (\S+)", done.stderr)
    seconds, peak = figures.groups() if figures else ("?", "?")
    said = done.stdout.splitlines()[0] if done.stdout else done.stderr[:200]
    print(f"{' '.join(words[:2]):18} {seconds:>6} s CPU  {peak:>4} MiB peak   {said[:90]}")


def scale(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="evalwright-bench-") as name:
        folder = Path(name)
        write_cases(folder / "one.jsonl", count)
        write_cases(folder / "two.jsonl", count, changed=100)
        measured(folder, "dataset", "create", "big", "--from", "one.jsonl")
        measured(folder, "dataset", "add", "big", "two.jsonl")
        measured(folder, "dataset", "diff", "big@v1", "big@v2", "--limit", "3")
        sample = ["--size", "1000", "--stratify-by", "locale", "--output", "sample.jsonl"]
        measured(folder, "dataset", "sample", "big", *sample)
        measured(folder, "import", "one.jsonl", "--into", "imported")


# --- health ---------------------------------------------------------------------------------------------------------


def rewritten(text: str) -> str:
    """Other words and phrases, the same order."""
    for word, other in WORDS:
        text = re.sub(rf"\b{word}\b", other, text)
    return text


def turned(text: str) -> str:
    """Other words, the sentences in another order, names changed."""
    parts = re.split(r"(?<=[.?!])\s+", rewritten(text))
    names = dict.fromkeys(re.findall(r"(?<=\s)[A-Z][a-z]+\b", text))
    for name, other in zip(names, ["Pat", "Kim", "Lou", "Sam", "Max", "Toni"], strict=False):
        parts = [part.replace(name, other) for part in parts]
    return " ".join([*parts[1:], parts[0]])


def own_texts(count: int) -> list[str]:
    rng = random.Random(5)
    made: dict[str, None] = {}
    while len(made) < count:
        days, order = rng.randrange(2, 60), rng.randrange(10**5, 10**6)
        text = f"The {rng.choice(PRODUCTS)} I bought {days} days ago {rng.choice(TROUBLES)}."
        made[f"{text} My order is {order} and it cost {rng.randrange(5, 300)} euros. {rng.choice(WISHES)}."] = None
    return list(made)


def planted(texts: list[str], label: str) -> None:
    """Plant 40 of each fault into a set and tell what is found."""
    size = len(texts) * 3 // 5
    base = [
        Case(id=f"s{n}", input=text, expected="a", metadata={"locale": "de"}) for n, text in enumerate(texts[:size])
    ]
    faults = {
        "exact": [Case(id=f"exact{n}", input=texts[n].upper(), expected="a") for n in range(40)],
        "contradiction": [Case(id=f"contra{n}", input=texts[40 + n], expected="b") for n in range(40)],
        "near": [Case(id=f"near{n}", input=texts[80 + n] + " Thanks!", expected="a") for n in range(40)],
        "rewritten": [Case(id=f"rew{n}", input=rewritten(texts[120 + n]), expected="a") for n in range(40)],
        "turned": [Case(id=f"turn{n}", input=turned(texts[160 + n]), expected="a") for n in range(40)],
    }
    other = [Case(id=f"o{n}", input=text) for n, text in enumerate(texts[size:])]
    other += [Case(id=f"leak{n}", input=texts[200 + n] + " ?") for n in range(40)]
    other += [Case(id=f"lrew{n}", input=rewritten(texts[240 + n])) for n in range(40)]
    other += [Case(id=f"lturn{n}", input=turned(texts[280 + n])) for n in range(40)]
    with tempfile.TemporaryDirectory() as name:
        cases = prepare([*base, *(c for some in faults.values() for c in some)], Blobs(Path(name) / "a")).case_file
        others = prepare(other, Blobs(Path(name) / "b")).case_file
        outcomes = {cases.case_hash(n): Outcomes(passed=5) for n in range(300, 340)}
        outcomes |= {cases.case_hash(n): Outcomes(passed=2, failed=2, both=True) for n in range(340, 360)}
        asked = HealthQuestion(made_at=0.0, cadence_days=90, now=86_400.0 * 100, strata=("locale",), near=0.8)
        import evalwright.datasets.health as module

        module.SHOWN = 100_000
        began = time.process_time()
        found = {f.kind: f for f in examine(cases, asked, others={"train": others}, outcomes=outcomes).findings}
    print(f"{label}: {len(cases):,} cases against {len(others):,}, {time.process_time() - began:.1f} s")
    print(f"  findings: {', '.join(f'{kind} {f.count}' for kind, f in found.items())}")
    _told(found, "exact_duplicates", {"exact": 40})
    _told(found, "contradictions", {"contra": 40})
    _told(found, "near_duplicates", {"near": 40, "rew": 40, "turn": 40})
    _told(found, "leakage", {"leak": 40, "lrew": 40, "lturn": 40})


def _told(found: dict, kind: str, wanted: dict[str, int]) -> None:
    lines = found[kind].cases if kind in found else ()
    hits = {name: {m for line in lines for m in re.findall(rf"\b{name}\d+", line)} for name in wanted}
    false = [line for line in lines if not re.search(r"\b(?:exact|contra|near|rew|turn|leak|lrew|lturn)\d+", line)]
    shown = ", ".join(f"{name} {len(hits[name])} of {count}" for name, count in wanted.items())
    print(f"  {kind}: {shown}; others {len(false)}{': ' + '; '.join(false[:3]) if false else ''}")


def questions(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line)["question"] for line in file]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--questions", type=Path)
    args = parser.parse_args()
    planted(own_texts(1_300), "a set of our own")
    if args.questions:
        planted(questions(args.questions), args.questions.name)
    if args.cases:
        scale(args.cases)
    print(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
