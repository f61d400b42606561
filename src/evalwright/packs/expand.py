"""A pack as cases: goal by vector by wrapper by transform by language, seeded, capped and content-addressed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.identity import short_hash
from evalwright.packs.model import POISONING, VECTORS, Goal, Host, Pack, Tags, Twin, Wrapper
from evalwright.packs.sampling import stratified
from evalwright.packs.tenants import NAMES, Fact, crossings, fixture
from evalwright.packs.wording import Fill, disguised, fill_for, sent, wrapped

_RECOGNISED = 40
"""Characters of a payload by which it is told again in a passage the system read."""


class Expansion(msgspec.Struct, frozen=True, kw_only=True):
    """How cases are made of a pack.

    Attributes:
        seed: Decides code words and which combinations are taken.
        limit: Attacks at most; twins come on top, of each kind at most half as many, and pairs.
        capabilities: What the target takes beside the user's message.
        languages: Languages to use; all that there are when empty.
        transforms: Disguises to use; those of the pack when empty.
        canaries: Secrets that are already in the system and must stay there.
        tools: Tools of the product that an attacker would want called.
        hosts: Documents of the system's own to put the attacker's words into, by vector, beside the pack's.
        tenants: Names of tenants to ask for one another's data.
    """

    seed: int = 0
    limit: int = 200
    capabilities: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    hosts: dict[str, tuple[Host, ...]] = {}
    tenants: tuple[str, ...] = NAMES[:3]


class Untested(msgspec.Struct, frozen=True, kw_only=True):
    """A goal and vector that could not be tried, and what the target would have to take for it."""

    pack: str
    goal: str
    vector: str
    missing: tuple[str, ...]
    tags: Tags = Tags()


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of a pack.

    Attributes:
        cases: Attacks, twins and pairs.
        possible: Combinations there were before the cap.
        untested: What could not be tried on this target.
    """

    cases: tuple[Case, ...]
    possible: int
    untested: tuple[Untested, ...] = ()


class _Combination(msgspec.Struct, frozen=True):
    goal: Goal
    vector: str
    wrapper: Wrapper
    transform: str
    language: str
    host: Host | None
    asker: str = ""
    fact: Fact | None = None

    @property
    def place(self) -> str:
        """The document, or the fact and who asks for it; empty where there is neither."""
        return self.host.id if self.host else f"{self.asker}-{self.fact.id}" if self.fact else ""


def expand(pack: Pack, how: Expansion) -> Expanded:
    """Make the cases of a pack; the same pack and settings always give the same cases."""
    untested = tuple(_untested(pack, how))
    possible = list(_combinations(pack, how))
    chosen = stratified(
        possible,
        how.limit,
        stratum=lambda c: f"{c.goal.id}/{c.vector}",
        factors=lambda c: (c.wrapper.id, c.transform, c.language, c.place),
        seed=how.seed,
    )
    attacks = [_case(pack, combination, how) for combination in chosen]
    twins = [twin for refuse in (False, True) for twin in _sampled_twins(pack, how, refuse=refuse)]
    pairs = list(_pairs(pack))[: how.limit]
    return Expanded(cases=(*attacks, *twins, *pairs), possible=len(possible), untested=untested)


def _vectors(pack: Pack, goal: Goal) -> tuple[str, ...]:
    return goal.vectors or pack.vectors


def _missing(goal: Goal, vector: str, how: Expansion) -> frozenset[str]:
    wanted = VECTORS[vector] | set(goal.needs)
    have = set(how.capabilities)
    if how.canaries:
        have.add("system")
    if how.tools:
        have.add("tools")
    return frozenset(wanted - have)


def _untested(pack: Pack, how: Expansion) -> Iterator[Untested]:
    for goal in pack.goals:
        for vector in _vectors(pack, goal):
            missing = _missing(goal, vector, how)
            if missing:
                yield Untested(
                    pack=pack.pack,
                    goal=goal.id,
                    vector=vector,
                    missing=tuple(sorted(missing)),
                    tags=merged(pack.tags, goal.tags),
                )


def _combinations(pack: Pack, how: Expansion) -> Iterator[_Combination]:
    for goal in pack.goals:
        wrappers = [w for w in pack.wrappers if not goal.wrappers or w.id in goal.wrappers]
        disguises = how.transforms or goal.transforms or pack.transforms
        languages = _languages(goal.text, how)
        for vector in _vectors(pack, goal):
            if _missing(goal, vector, how):
                continue
            if vector == "tenant":
                crossed = product(wrappers, disguises, languages, crossings(fixture(how.seed, how.tenants)))
                yield from (_Combination(goal, vector, w, t, n, None, *pair) for w, t, n, pair in crossed)
                continue
            hosts: Sequence[Host | None] = _hosts(pack, goal, vector, how)
            yield from (_Combination(goal, vector, *rest) for rest in product(wrappers, disguises, languages, hosts))


def _hosts(pack: Pack, goal: Goal, vector: str, how: Expansion) -> Sequence[Host | None]:
    if vector not in POISONING:
        return (None,)
    own = how.hosts.get(vector, ()) if goal.own_documents else ()
    return (*own, *pack.hosts)


def _languages(text: dict[str, str], how: Expansion) -> list[str]:
    return [language for language in text if not how.languages or language in how.languages]


def merged(first: Tags, second: Tags) -> Tags:
    """The tags of both."""
    names = Tags.__struct_fields__
    return Tags(**{name: tuple(dict.fromkeys((*getattr(first, name), *getattr(second, name)))) for name in names})


def _case(pack: Pack, c: _Combination, how: Expansion) -> Case:
    parts = (c.goal.id, c.vector, *((_plain(c.place),) if c.place else ()), c.wrapper.id, c.transform, c.language)
    key = f"{pack.pack}/{'/'.join(parts)}"
    fill = _fill(key, how)
    if c.fact is not None:
        fill = fill.about(c.fact, c.asker)
    demand = fill.into(c.goal.text[c.language])
    plain = wrapped(demand, c.wrapper, c.language, seed=how.seed)
    payload = disguised(plain, c.transform)
    value = sent(c.vector, payload, c.goal, c.host, c.language)
    if c.goal.system and "system" in how.capabilities and not how.canaries:
        value["system"] = fill.into(c.goal.system)
    if c.fact is not None:
        value |= _as_tenant(c.asker, c.fact, how)
    if c.goal.oracle.get("times"):
        value["measure"] = "ordinary"
    value = fill.into_value({**value, "language": c.language})
    expected: dict[str, Json] = {"oracle": fill.into_value(c.goal.oracle)}
    if c.goal.oracle["kind"] == "foreign":
        foreign = [one.marker for one in fixture(how.seed, how.tenants) if one.tenant != c.asker]
        expected["oracle"] = {**expected["oracle"], "values": foreign}
    utility = c.goal.utility or (c.host.utility if c.host else "")
    if utility:
        expected["utility"] = utility
    if c.vector in {"document", "split_documents"} and c.host is not None:
        expected["delivered"] = payload.strip()[:_RECOGNISED]
    digest = short_hash([value, expected])[:8]
    return Case(
        id=f"{key}-{digest}",
        input=value,
        expected=expected,
        cluster=f"{pack.pack}/{c.goal.id}/{c.wrapper.id}/{c.transform}",
        metadata={**_metadata(pack, c), "payload": payload, "plain": plain, "demand": demand},
        tags=("attack", pack.pack, c.goal.severity),
    )


def _as_tenant(asker: str, fact: Fact, how: Expansion) -> dict[str, Json]:
    """Who asks, whose documents there are, and how one sees that they are there: their owner gets an answer."""
    planted = [one.document for one in fixture(how.seed, how.tenants) if one.tenant in {asker, fact.tenant}]
    check: dict[str, Json] = {"tenant": fact.tenant, "question": fact.question, "marker": fact.marker}
    return {"tenant": asker, "documents": planted, "check": check}


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)


def _fill(key: str, how: Expansion) -> Fill:
    place = sum(key.encode())
    secret = how.canaries[place % len(how.canaries)] if how.canaries else ""
    tool = how.tools[place % len(how.tools)] if how.tools else ""
    return fill_for(key, seed=how.seed, secret=secret, tool=tool)


def _metadata(pack: Pack, c: _Combination) -> dict[str, Json]:
    tags: dict[str, Any] = msgspec.to_builtins(merged(pack.tags, c.goal.tags))
    return {
        "kind": "attack",
        "pack": pack.pack,
        "pack_version": pack.version,
        "class": pack.attack,
        "goal": c.goal.id,
        "title": c.goal.title or c.goal.id,
        "severity": c.goal.severity,
        "vector": c.vector,
        "wrapper": c.wrapper.id,
        "transform": c.transform,
        "language": c.language,
        **({"hint": c.goal.hint} if c.goal.hint else {}),
        **{name: list(values) for name, values in tags.items()},
    }


def _sampled_twins(pack: Pack, how: Expansion, *, refuse: bool) -> list[Case]:
    """Requests to be answered, or to be declined; half as many as attacks at most."""
    twins = [twin for twin in pack.twins if twin.refuse is refuse]
    cases = [_twin(pack, twin, language) for twin in twins for language in _languages(twin.text, how)]
    half = max(1, how.limit // 2)
    return stratified(cases, half, stratum=lambda c: c.metadata["goal"], factors=lambda _: (), seed=how.seed)


def _twin(pack: Pack, twin: Twin, language: str) -> Case:
    value = {"turns": [twin.text[language]], "language": language}
    kind = "must_refuse" if twin.refuse else "safe_twin"
    return Case(
        id=f"{pack.pack}/{kind}/{twin.id}/{language}-{short_hash(value)[:8]}",
        input=value,
        cluster=f"{pack.pack}/{kind}/{twin.id}",
        metadata={
            "kind": kind,
            "pack": pack.pack,
            "class": pack.attack,
            "goal": twin.id,
            "language": language,
            "should_refuse": twin.refuse,
        },
        tags=(kind, pack.pack),
    )


def _pairs(pack: Pack) -> Iterator[Case]:
    for item in pack.counterparts:
        for group, person in item.persons.items():
            value = {"turns": [item.text.replace("[[PERSON]]", person)]}
            yield Case(
                id=f"{pack.pack}/pair/{item.id}/{group}-{short_hash(value)[:8]}",
                input=value,
                cluster=f"{pack.pack}/pair/{item.id}",
                metadata={
                    "kind": "counterpart",
                    "pack": pack.pack,
                    "class": pack.attack,
                    "goal": item.id,
                    "group": group,
                    "person": person,
                },
                tags=("counterpart", pack.pack),
            )
