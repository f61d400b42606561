"""What is attacked: the target of a suite, how it takes its input, how things get into it, what is known of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from evalwright.core.case import Case
from evalwright.core.errors import UsageError
from evalwright.core.scorer import BoundScorer
from evalwright.packs.adapter import AttackTarget, InputShape, infer_shape
from evalwright.packs.model import Host
from evalwright.packs.planting import Planter
from evalwright.scorers.agents.policy import ToolPolicy
from evalwright.scorers.safety.judged import JudgedAttack, JudgedAttackScorer
from evalwright.scorers.safety.names import known_addresses, known_npm, known_packages
from evalwright.scorers.safety.scorers import AttackSuccess
from evalwright.services.attack_corpus import OwnCarriers, own_carriers
from evalwright.services.attack_judges import SuiteJudges, judges_of
from evalwright.services.attack_planting import planters_of
from evalwright.services.attack_request import AttackRequest
from evalwright.services.attack_surface import Surface, read_surface
from evalwright.services.option_files import bound_from_file, read_options
from evalwright.services.sources import RunSource
from evalwright.services.suite_files import file_of, load_source

_MOST_CASES = 1_000
_CARRIED_BY = {"documents": "document", "tool_results": "tool_result"}


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """The target of a suite as something to be attacked.

    Attributes:
        suite: The suite.
        cases: Its first cases.
        shape: How the target takes its input.
        planters: How documents and results of tools get into it, where not by a field.
        hosts: Its own documents as carriers, by vector.
        judges: Its judges.
        packages: Packages that exist.
        addresses: Addresses that exist.
        policy: Rules of its tools.
        carriers: What of its own documents carries attacks, in words.
    """

    suite: RunSource
    cases: tuple[Case, ...]
    shape: InputShape
    planters: dict[str, Planter] = {}
    hosts: dict[str, tuple[Host, ...]] = {}
    judges: tuple[BoundScorer, ...] = ()
    packages: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    policy: ToolPolicy | None = None
    carriers: str = ""

    @property
    def capabilities(self) -> frozenset[str]:
        """What of `packs.model.CAPABILITIES` can be tried."""
        known = {"judge": self.judges, "packages": self.packages, "links": self.addresses}
        return self.shape.capabilities | set(self.planters) | {name for name, have in known.items() if have}

    @property
    def rules(self) -> AttackSuccess:
        """What proves a success."""
        return AttackSuccess(packages=self.packages, addresses=self.addresses, policy=self.policy)

    def attacked(self) -> AttackTarget:
        """The target that takes the cases of packs."""
        judge = SuiteJudges(self.judges, self.cases) if self.judges else None
        ordinary = [case.input for case in self.cases]
        return AttackTarget(self.suite.target, self.shape, planters=self.planters, judge=judge, ordinary=ordinary)


def read_product(request: AttackRequest) -> Product:
    """Read suite and surface, and see which of the product's own documents its questions lead to.

    Raises:
        ConfigError: The suite, the surface or another file is wrong.
        UsageError: The target's input can't be told.
    """
    place = request.surface or _beside(request.suite)
    surface = read_surface(place) if place else Surface()
    base = place.parent if place else Path()
    # before the suite is read, because its product may look for the copy of a folder as soon as it is imported
    planters = planters_of(surface, base)
    suite = load_source(request.suite)
    cases = tuple(row for row in itertools.islice(suite.rows, _MOST_CASES) if isinstance(row, Case))
    if not cases:
        raise UsageError("the suite has no case to learn the target's input from")
    fields = {name: route.field or "" for name, route in surface.routes.items() if route.via == "field"}
    shape = infer_shape(cases[0].input, **{**fields, **{k: v for k, v in request.fields.items() if v}})
    found = {} if request.dry else _own(suite, cases, surface, base, shape)
    return Product(
        suite=suite,
        cases=cases,
        shape=shape,
        planters=planters,
        hosts={_CARRIED_BY[name]: own.hosts for name, own in found.items() if own.hosts},
        judges=judges_of(suite.scorers),
        packages=_listed_packages(request.packages),
        addresses=_listed_addresses(request.links),
        policy=read_options(request.policy, ToolPolicy, what="the policy of tools") if request.policy else None,
        carriers="; ".join(own.summary for own in found.values()),
    )


def _beside(suite: str) -> Path | None:
    """The surface that a suite declares: `support.surface.yaml` beside `support.yaml`."""
    path = file_of(suite)
    found = path.with_name(f"{path.stem}.surface.yaml")
    return found if found.is_file() else None


def _own(
    suite: RunSource, cases: Sequence[Case], surface: Surface, base: Path, shape: InputShape
) -> dict[str, OwnCarriers]:
    """The product's own documents that carry attacks, by what they are; those of routes with a folder."""
    return {
        name: own_carriers(suite.target, cases, base / route.folder, route.own, shape)
        for name, route in surface.routes.items()
        if route.folder and route.own.documents and name in _CARRIED_BY
    }


def judge_after(rules: AttackSuccess, path: Path) -> JudgedAttackScorer:
    """Rules first, then the judge of a file.

    Raises:
        ConfigError: The file is wrong.
        UsageError: There is no such file.
    """
    made: JudgedAttackScorer = bound_from_file(path, JudgedAttack, what="the judge")
    return JudgedAttackScorer(made.client, rules)


def _lines(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}", hint="a list, one name or address a line") from error
    kept = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not kept:
        raise UsageError(f"{path} lists nothing", hint="one name or address a line")
    return kept


def _listed_addresses(path: Path | None) -> tuple[str, ...]:
    lines = _lines(path)
    try:
        known_addresses(lines)
    except UsageError as error:
        raise UsageError(f"{path}: {error}", hint=error.hint) from error
    return lines


def _listed_packages(path: Path | None) -> tuple[str, ...]:
    """The packages of a list, a requirements file or lock file, or an npm lock."""
    lines = _lines(path)
    if path is None:
        return ()
    if path.suffix == ".json":
        try:
            return tuple(sorted(known_npm(json.loads("\n".join(lines)))))
        except ValueError as error:
            raise UsageError(f"{path} is no JSON: {error}") from error
    named = tuple(line.partition("=")[2].strip().strip('"') if line.startswith("name = ") else line for line in lines)
    if not known_packages(named):
        raise UsageError(f"{path} lists no packages", hint="a name a line, a requirements file or a lock file")
    return named
