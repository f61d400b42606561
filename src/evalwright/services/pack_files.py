"""Packs by name or file, and the check of their oracles against scripted systems."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from evalwright.core.case import Case
from evalwright.core.errors import ConfigError, Problem, TargetError, UsageError
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import ScoreContext
from evalwright.packs import victims
from evalwright.packs.expand import Expansion, expand
from evalwright.packs.model import CAPABILITIES, Pack, pack_from
from evalwright.scorers.base import NotApplicable
from evalwright.scorers.safety.active import SINKS
from evalwright.scorers.safety.scorers import AttackSuccess, read_oracle
from evalwright.suites.suggest import suggestion
from evalwright.suites.yaml_reader import parse_yaml, read_yaml

ALL = "all"
WITHOUT_VALUES = frozenset({"amplification", "foreign", "flip"})
"""Proofs that need no text to look for."""

_LIBRARY = files("evalwright.packs").joinpath("library")


def pack_names() -> list[str]:
    """The packs that come with Evalwright."""
    return sorted(item.name.removesuffix(".yaml") for item in _LIBRARY.iterdir() if item.name.endswith(".yaml"))


def load_pack(reference: str) -> Pack:
    """A pack by name, or by the path of its file.

    Raises:
        UsageError: There is no such pack.
        ConfigError: The file is wrong.
    """
    if reference.endswith((".yaml", ".yml")):
        return _checked(pack_from(read_yaml(Path(reference)).data, file=reference), reference)
    if reference not in pack_names():
        raise UsageError(f"there is no pack `{reference}`", hint=suggestion(reference, dict.fromkeys(pack_names(), "")))
    text = _LIBRARY.joinpath(f"{reference}.yaml").read_text(encoding="utf-8")
    return _checked(pack_from(parse_yaml(text, name=f"{reference}.yaml").data, file=f"{reference}.yaml"), reference)


def _checked(pack: Pack, file: str) -> Pack:
    """The pack, when every goal has a proof that can be looked for.

    Raises:
        ConfigError: A goal has none; all of them at once.
    """
    problems = []
    for goal in pack.goals:
        try:
            oracle = read_oracle(goal.oracle)
        except NotApplicable as error:
            problems.append(Problem(message=str(error), file=file, key=f"goals.{goal.id}.oracle"))
            continue
        if oracle.kind not in WITHOUT_VALUES and not oracle.values and not oracle.hosts:
            message = f"a proof of the kind {oracle.kind} needs `values`"
            problems.append(Problem(message=message, file=file, key=f"goals.{goal.id}.oracle"))
        sinks = ("packages", "links") if oracle.kind == "unknown" else SINKS
        if oracle.sink not in sinks:
            message = f"there is no sink {oracle.sink!r}; there are {', '.join(sinks)}"
            problems.append(Problem(message=message, file=file, key=f"goals.{goal.id}.oracle.sink"))
    if problems:
        raise ConfigError(problems)
    return pack


def load_packs(references: tuple[str, ...]) -> tuple[Pack, ...]:
    """Several packs; `all` stands for every one that comes with Evalwright.

    Raises:
        UsageError: One is unknown, or none was named.
    """
    return tuple(named_packs(references).values())


def named_packs(references: tuple[str, ...]) -> dict[str, Pack]:
    """The same, by the name or file each was asked for.

    Raises:
        UsageError: One is unknown, or none was named.
    """
    wanted = [name for given in references for name in (pack_names() if given == ALL else [given])]
    if not wanted:
        raise UsageError("no pack was named", hint=f"there are: all, {', '.join(pack_names())}")
    return {name: load_pack(name) for name in dict.fromkeys(wanted)}


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """What the attacks of a pack came to against one scripted system.

    Attributes:
        victim: Which.
        attacks: How many attacks there were.
        succeeded: How many succeeded.
        resisted: How many did not.
        invalid: How many could not be judged.
        wrong: Ids of cases that came out otherwise than they must.
    """

    victim: str
    attacks: int
    succeeded: int
    resisted: int
    invalid: int
    wrong: tuple[str, ...] = ()


def _provable(case: Case) -> bool:
    """Whether a case is an attack whose success is told by rules; a question for a judge is not."""
    return bool(case.metadata["kind"] == "attack" and case.expected["oracle"]["kind"] != "question")


MUST = {"obedient": "succeeded", "refusing": "resisted", "echoing": "resisted", "failing": "invalid"}
"""What every attack must come to, by scripted system."""


def self_test(pack: Pack, *, limit: int = 200, seed: int = 0) -> tuple[SelfTest, ...]:
    """Try a pack's oracles on the four scripted systems; nothing else is called."""
    how = Expansion(seed=seed, limit=limit, capabilities=frozenset(CAPABILITIES))
    attacks = [case for case in expand(pack, how).cases if _provable(case)]
    return tuple(_tried(name, attacks) for name in victims.VICTIMS)


def _tried(name: str, attacks: list[Case]) -> SelfTest:
    outcomes = {case.id: _outcome(name, case) for case in attacks}
    found = list(outcomes.values())
    return SelfTest(
        victim=name,
        attacks=len(attacks),
        succeeded=found.count("succeeded"),
        resisted=found.count("resisted"),
        invalid=found.count("invalid"),
        wrong=tuple(case for case, outcome in outcomes.items() if outcome != MUST[name]),
    )


_SCORER = AttackSuccess(packages=("numpy",), addresses=("docs.example",))


def _outcome(name: str, case: Case) -> str:
    try:
        output = victims.VICTIMS[name](case)
    except TargetError:
        return "invalid"
    score = _SCORER.score(ScoreContext(case=case, output=output))
    return score.label or ("invalid" if score.status is not ScoreStatus.SCORED else "resisted")
