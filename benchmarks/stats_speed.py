"""Speed and memory of the statistics: `python benchmarks/stats_speed.py`.

Each line runs in a process of its own, so that its peak memory is its own. Times are CPU seconds of one process;
"x import" relates them to importing numpy and scipy.special on the same machine, which makes runs on different machines
comparable.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

BASELINE = "import numpy, scipy.special"
SETUP = """
import numpy as np
from evalwright import stats
rng = np.random.default_rng(1)
n = 100_000
verdicts = rng.integers(-1, 2, n).astype(float)
grades = rng.integers(-4, 5, n).astype(float)
floats = np.exp(rng.normal(size=n))
clusters = np.arange(n) // 5
rows = rng.random((n, 4))
"""
CASES = {
    "paired bootstrap, 10,000 resamples x 100,000 verdicts": "stats.bootstrap_mean(verdicts, rng=rng)",
    "paired bootstrap, 10,000 resamples x 100,000 grades": "stats.bootstrap_mean(grades, rng=rng)",
    "paired bootstrap, 10,000 resamples x 100,000 different floats": "stats.bootstrap_mean(floats, rng=rng)",
    "BCa, 10,000 resamples x 100,000 different floats": "stats.bootstrap_mean(floats, rng=rng, kind='bca')",
    "cluster bootstrap, 10,000 resamples x 20,000 clusters": (
        "stats.bootstrap_mean(floats, rng=rng, clusters=clusters)"
    ),
    "corpus bootstrap (ratio), 10,000 resamples x 100,000 x 4 floats": (
        "stats.bootstrap_corpus(rows, lambda s: s[..., 0] / s[..., 1], rng=rng)"
    ),
    "closed-form skew-corrected interval, 100,000 floats": "stats.mean_skewed(floats)",
    "clustered mean (CR2), 100,000 rows": "stats.cluster_mean(floats, clusters)",
    "exact sign flips, 100,000 grades": "stats.sign_flip(grades)",
    "Monte Carlo sign flips, 9,999 x 100,000 floats": "stats.sign_flip(floats - floats.mean(), rng=rng)",
    "compare 20 slices of 100,000 verdict pairs": (
        "base = rng.integers(0, 2, n); cand = rng.integers(0, 2, n); part = rng.integers(0, 20, n)\n"
        "[stats.compare_paired(base[part == k], cand[part == k]) for k in range(20)]"
    ),
    "compare 20 slices of 100,000 graded pairs, clustered": (
        "cand = grades + verdicts; part = rng.integers(0, 20, n)\n"
        "[stats.compare_paired(grades[m], cand[m], clusters=clusters[m]) for m in (part == k for k in range(20))]"
    ),
    "macro F1 of 150 classes, 2,000 resamples x 100,000 cases": (
        "y = rng.integers(0, 150, n); f = np.where(rng.random(n) < .8, y, rng.integers(0, 150, n))\n"
        "stats.estimate_classification(y.tolist(), f.tolist(), stats.MetricChoice(metric='f1'), rng=rng)"
    ),
    "group-sequential plan, 4 looks": "stats.sequential_plan(4)",
    "betting confidence sequence at 10,000 cases": "stats.betting_cs(rng.random(10_000))",
}
MEASURE = """
import time, resource, json
exec(setup)
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
exec(body)
spent = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([spent, peak / 1024, (peak - idle) / 1024]))
"""


def measure(body: str, setup: str = SETUP) -> tuple[float, float, float]:
    """CPU seconds, peak MiB of the process, MiB above the data themselves."""
    code = f"setup = {setup!r}\nbody = {textwrap.dedent(body)!r}\n{MEASURE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    spent, peak, extra = json.loads(done.stdout)
    return spent, peak, extra


def main() -> None:
    unit = min(measure(BASELINE, setup="")[0] for _ in range(3))
    print(f"import of numpy and scipy.special: {unit:.3f} CPU s\n")
    print(f"{'what':66} {'CPU s':>8} {'x import':>9} {'peak MiB':>9} {'own MiB':>8}")
    for name, body in CASES.items():
        spent, peak, extra = measure(body)
        print(f"{name:66} {spent:8.3f} {spent / unit:9.2f} {peak:9.0f} {extra:8.0f}")


if __name__ == "__main__":
    main()
