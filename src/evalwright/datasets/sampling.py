"""Samples of a set: at random, or with every stratum's share kept; the same for the same seed and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.case import Case, Json
from evalwright.core.errors import UsageError
from evalwright.core.identity import canonical_json
from evalwright.datasets.fields import find
from evalwright.store.cases import CaseFile, IndexArray


class SampleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How to draw.

    Attributes:
        size: Cases to draw; all when the set has no more.
        stratify_by: Paths (`metadata.locale`, `input.language`, or a metadata key) whose values make the strata.
        seed: Of the draw.
        mix: Share of each stratum, by its values joined with `/`; the set's own shares when empty.
    """

    size: int
    stratify_by: tuple[str, ...] = ()
    seed: int = 0
    mix: dict[str, float] = {}


def draw(cases: CaseFile, spec: SampleSpec) -> IndexArray:
    """Indices of the cases drawn, ascending, shape (size,).

    Strata get their share by largest remainders, each at least one case as long as the size allows.

    Raises:
        UsageError: The size is below 1, or the mix names a stratum that has no case.
    """
    if spec.size < 1:
        raise UsageError(f"a sample needs at least 1 case, not {spec.size}")
    if spec.size >= len(cases) and not spec.mix:
        return np.arange(len(cases), dtype=np.int64)
    rng = np.random.default_rng(spec.seed)
    if not spec.stratify_by:
        return np.sort(rng.choice(len(cases), size=min(spec.size, len(cases)), replace=False)).astype(np.int64)
    strata = strata_of(cases, spec.stratify_by)
    wanted = _wanted(strata, spec)
    chosen = [rng.choice(members, size=wanted[name], replace=False) for name, members in strata.items()]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def strata_of(cases: CaseFile, paths: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Indices of the cases of each stratum, by the values joined with `/`, sorted by name."""
    found: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        found.setdefault(stratum_of(case, paths), []).append(index)
    return {name: np.array(found[name], dtype=np.int64) for name in sorted(found)}


def stratum_of(case: Case, paths: Sequence[str]) -> str:
    """The name of a case's stratum; `-` stands for a value that is not there.

    Example:
        >>> stratum_of(Case(id="a", input="x", metadata={"locale": "de"}), ["locale", "tier"])
        'de/-'
    """
    return "/".join(_value(case, path) for path in paths)


def _value(case: Case, path: str) -> str:
    root, _, rest = path.partition(".")
    whole: Json = {"metadata": case.metadata, "input": case.input, "expected": case.expected, "cluster": case.cluster}
    found = find(whole, path) if root in whole and (rest or root == "cluster") else find(case.metadata, path)
    if not isinstance(found, (str, int, float, bool, list, dict)):
        return "-"
    return found if isinstance(found, str) else canonical_json(found).decode()


def _wanted(strata: Mapping[str, npt.NDArray[np.int64]], spec: SampleSpec) -> dict[str, int]:
    """Cases to draw of each stratum."""
    unknown = sorted(set(spec.mix) - set(strata))
    if unknown:
        raise UsageError(f"no case is in the stratum {unknown[0]!r}", hint=f"there are: {', '.join(list(strata)[:10])}")
    room = {name: len(members) for name, members in strata.items()}
    shares = {name: spec.mix.get(name, 0.0) if spec.mix else float(count) for name, count in room.items()}
    return allocate(shares, room, spec.size)


def allocate(shares: Mapping[str, float], room: Mapping[str, int], size: int) -> dict[str, int]:
    """Whole numbers in proportion to shares, none above its room (largest remainders, Hamilton's method).

    What a stratum has no room for goes to the others. With a size of at least the number of strata, every stratum with
    a share gets one.

    Example:
        >>> allocate({"a": 9, "b": 1}, {"a": 90, "b": 10}, 5)
        {'a': 4, 'b': 1}
    """
    alive = [name for name in shares if shares[name] > 0 and room[name] > 0]
    given = dict.fromkeys(shares, 0)
    total = sum(shares[name] for name in alive)
    target = {name: size * shares[name] / total for name in alive}
    if size >= len(alive):
        given |= {name: min(room[name], max(1, int(target[name]) - len(alive))) for name in alive}
    left = min(size, sum(room[name] for name in alive)) - sum(given.values())
    while left > 0:
        open_ = [name for name in alive if given[name] < room[name]]
        name = max(open_, key=lambda n: (target[n] - given[n], shares[n], n))
        given[name] += 1
        left -= 1
    return given
