"""For tests of your own scorers, targets and suites: fakes that behave as scripted, and conformance kits.

`check_scorer` and `check_target` run what every scorer and target must hold through yours and raise one
`ConformanceError` that lists everything found wrong.
"""

from __future__ import annotations

from evalwright.testing.fakes import FakeTarget, StaticScorer
from evalwright.testing.report import ConformanceError
from evalwright.testing.scorers import ScorerKit, check_scorer
from evalwright.testing.targets import check_target

__all__ = ["ConformanceError", "FakeTarget", "ScorerKit", "StaticScorer", "check_scorer", "check_target"]
