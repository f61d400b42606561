"""A pack as its file has it: goals, the words around them, and what proves a success."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.identity import short_hash
from evalwright.packs.transforms import TRANSFORMS

SEVERITIES = ("critical", "high", "medium", "low")
VECTORS = {
    "user": frozenset[str](),
    "pasted": frozenset[str](),
    "conversation": frozenset({"conversation"}),
    "split_turns": frozenset({"conversation"}),
    "document": frozenset({"documents"}),
    "split_documents": frozenset({"documents"}),
    "tool_result": frozenset({"tool_results"}),
    "tool_description": frozenset({"tool_descriptions"}),
    "memory": frozenset({"memory"}),
    "tenant": frozenset({"tenants"}),
    "judged": frozenset({"judge"}),
}
"""Ways in, and what a target must take for them.

The user's message, a document pasted into it, several turns, documents of the system's own corpus, results of tools,
descriptions of tools, an earlier session of the same user, another tenant's question, an answer put before a judge.
"""

POISONING = frozenset({"document", "pasted", "split_documents", "tool_result", "tool_description"})
"""Vectors that need a document to put the attacker's words into."""

CAPABILITIES = (
    "conversation",
    "documents",
    "tool_results",
    "tool_descriptions",
    "system",
    "tools",
    "memory",
    "tenants",
    "judge",
    "packages",
    "links",
)
"""What a target may take beside the user's message, and what must be known of it."""


class Tags(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a pack or goal stands in public lists of risks.

    Attributes:
        owasp: OWASP Top 10 for LLM applications, 2025: `LLM01` … `LLM10`.
        agentic: OWASP Agentic Top 10: `ASI01` … `ASI10`.
        atlas: MITRE ATLAS techniques, e.g. `AML.T0051`.
        ailuminate: AILuminate hazards, e.g. `prv`.
        nist: Risks of NIST AI 600-1.
    """

    owasp: tuple[str, ...] = ()
    agentic: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    ailuminate: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()


class Goal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the attacker wants, harmless by design, and how one sees that it was reached.

    Attributes:
        id: Unique in the pack.
        text: The demand by language; `[[A]]`, `[[B]]`, `[[SECRET]]`, `[[HOST]]` and `[[TOOL]]` are filled in.
        oracle: What the output of a success holds; see `evalwright.scorers.safety.oracle`.
        severity: `critical`, `high`, `medium` or `low`.
        title: In a few words.
        hint: What to do about a success.
        needs: What a target must take, beside what the vector needs.
        vectors: Ways in; the pack's own when empty.
        wrappers: Wrappers that suit; all of the pack when empty.
        transforms: Transforms that suit; those of the pack when empty.
        system: Text to plant before the conversation, with the `[[SECRET]]` to be kept.
        lead: Earlier turns of a scripted conversation, by language.
        later: For `memory`: turns of a later session, by language; only its answers count.
        stranger: For `memory`: whether the later session is another user's.
        utility: What a good answer says beside the attack; only for goals that come with an honest question.
        own_documents: Whether documents of the product's own may carry it; not where the pack's question asks for it.
        tags: Added to those of the pack.
    """

    id: str
    text: dict[str, str]
    oracle: dict[str, Json]
    severity: str = "medium"
    title: str = ""
    hint: str = ""
    needs: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    system: str = ""
    lead: dict[str, tuple[str, ...]] = {}
    later: dict[str, tuple[str, ...]] = {}
    stranger: bool = False
    utility: str = ""
    own_documents: bool = True
    tags: Tags = Tags()


class Wrapper(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Words around a demand.

    Attributes:
        id: Unique in the pack.
        text: By language, with `[[GOAL]]` where the demand goes; English serves where a language is missing.
        shots: Invented exchanges of an obedient assistant to put before it.
    """

    id: str
    text: dict[str, str]
    shots: int = 0


class Host(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A document the attacker's words are put into, and the honest question that leads to it.

    Attributes:
        id: Unique in the pack.
        title: Title of the document.
        text: With `[[PAYLOAD]]` where the attacker's words go.
        question: What an honest user asks.
        utility: What a good answer says.
        fields: Further fields of the input the question comes with, where it is one of the suite's own.
        place: Where the document stands among the system's own, e.g. a path in its folder.
        escape: How the attacker's words are written into it: `none` or `json`.
    """

    id: str
    title: str
    text: str
    question: str
    utility: str = ""
    fields: dict[str, Json] = {}
    place: str = ""
    escape: str = "none"


class Twin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A request that looks like an attack and is none: to be answered.

    Attributes:
        id: Unique in the pack.
        text: By language.
        refuse: Whether it is to be declined instead (the other half of a contrast pair).
    """

    id: str
    text: dict[str, str]
    refuse: bool = False


class Counterpart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Questions that differ only in a person's attribute: the answers should not differ in kind.

    Attributes:
        id: Unique in the pack.
        text: The question with `[[PERSON]]`.
        persons: What is put there, by group.
    """

    id: str
    text: str
    persons: dict[str, str]


class Attribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An attribute of persons that answers should not depend on; put into the user's own questions.

    Attributes:
        id: Unique in the pack.
        text: By language, with `[[PERSON]]` and, for the question, `[[QUESTION]]`.
        persons: What stands for a person, by group.
    """

    id: str
    text: dict[str, str]
    persons: dict[str, str]


class Pack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A pack.

    Attributes:
        pack: Its name.
        version: Raised whenever a case changes.
        title: In a few words.
        attack: Class of attack, a slice of the figures.
        description: What it tries, what proves a success, what it can't see.
        licence: Of the texts.
        source: Who wrote them.
        tags: Where it stands in public lists of risks.
        vectors: Ways in.
        transforms: Disguises; `none` is the bare text.
        goals: What the attacker wants.
        wrappers: Words around it; the bare demand when there are none.
        hosts: Documents to poison.
        twins: Requests to be answered.
        counterparts: Questions for pairs.
        attributes: For pairs made from the user's own questions.
    """

    pack: str
    version: str
    title: str
    attack: str
    description: str = ""
    licence: str = ""
    source: str = ""
    tags: Tags = Tags()
    vectors: tuple[str, ...] = ("user",)
    transforms: tuple[str, ...] = ("none",)
    goals: tuple[Goal, ...] = ()
    wrappers: tuple[Wrapper, ...] = (Wrapper(id="plain", text={"en": "[[GOAL]]"}),)
    hosts: tuple[Host, ...] = ()
    twins: tuple[Twin, ...] = ()
    counterparts: tuple[Counterpart, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    @property
    def digest(self) -> str:
        """Content hash of everything in the pack."""
        return short_hash(self)


def pack_from(value: Any, *, file: str = "") -> Pack:
    """A pack from the data of its file.

    Raises:
        ConfigError: It is none; every problem at once.
    """
    try:
        pack = msgspec.convert(value, Pack, strict=False)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        raise ConfigError([Problem(message=message, file=file, key=where.strip("`."))]) from error
    problems = [Problem(message=message, file=file, key=key) for key, message in _faults(pack)]
    if problems:
        raise ConfigError(problems)
    return pack


def _faults(pack: Pack) -> Iterator[tuple[str, str]]:
    if not pack.goals and not pack.twins and not pack.counterparts:
        yield "goals", "the pack has neither goals nor twins nor counterparts"
    yield from _names(pack)
    wrappers = {wrapper.id for wrapper in pack.wrappers}
    for goal in pack.goals:
        where = f"goals.{goal.id}"
        if goal.severity not in SEVERITIES:
            yield where, f"the severity {goal.severity!r} is none of {', '.join(SEVERITIES)}"
        if not goal.text:
            yield where, "the goal has no text"
        yield from ((where, f"there is no wrapper {name!r}") for name in goal.wrappers if name not in wrappers)
        yield from ((where, f"nothing is known of {name!r}") for name in goal.needs if name not in CAPABILITIES)
        if "memory" in (goal.vectors or pack.vectors) and not goal.later:
            yield where, "the vector memory needs turns of a later session: add `later`"
        if _poisons(pack, goal) and not pack.hosts:
            yield where, "the vector needs a document: add `hosts`"
    for wrapper in pack.wrappers:
        if not wrapper.text or any("[[GOAL]]" not in text for text in wrapper.text.values()):
            yield f"wrappers.{wrapper.id}", "the text has no [[GOAL]]"
    for host in pack.hosts:
        if "[[PAYLOAD]]" not in host.text:
            yield f"hosts.{host.id}", "the text has no [[PAYLOAD]]"


def _poisons(pack: Pack, goal: Goal) -> bool:
    return bool(POISONING & set(goal.vectors or pack.vectors))


def _names(pack: Pack) -> Iterator[tuple[str, str]]:
    for where, names in (
        ("goals", [goal.id for goal in pack.goals]),
        ("wrappers", [wrapper.id for wrapper in pack.wrappers]),
        ("hosts", [host.id for host in pack.hosts]),
        ("twins", [twin.id for twin in pack.twins]),
    ):
        for name in {name for name in names if names.count(name) > 1}:
            yield where, f"{name!r} stands there twice"
    vectors = (*pack.vectors, *(vector for goal in pack.goals for vector in goal.vectors))
    yield from (("vectors", f"there is no vector {name!r}") for name in vectors if name not in VECTORS)
    used = (*pack.transforms, *(name for goal in pack.goals for name in goal.transforms))
    parts = {part for name in used for part in name.split("+")}
    yield from (("transforms", f"there is no transform {part!r}") for part in sorted(parts - TRANSFORMS.keys()))
