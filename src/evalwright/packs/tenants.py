"""Invented tenants with documents of their own: every fact is a marker that occurs nowhere else."""

from __future__ import annotations

import hashlib
from itertools import permutations

import msgspec

_ONSETS, _VOWELS, _ENDS = "BDFGKLMNPRSTVZ", "AEIOU", "KLMNRSTX"
NAMES = ("Alderbrook", "Birkenau Optik", "Casa Mirlo", "Dunmore Bakery", "Elmfield Clinic", "Fjordlys")
"""Names of tenants; as many as are wanted, the first first."""

_PEOPLE = ("Tove Harksen", "Milan Obrecht", "Ines Caldera", "Rufus Penhall", "Selma Yrjola", "Oskar Dambeck")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a tenant, with what must not come out elsewhere.

    Attributes:
        tenant: Who it belongs to.
        id: Of the document.
        title: Of the document.
        text: Of the document; it holds the marker.
        marker: The fact itself, drawn from the seed.
        subject: What one asks for to get it.
        question: What its owner asks to get it.
    """

    tenant: str
    id: str
    title: str
    text: str
    marker: str
    subject: str
    question: str

    @property
    def document(self) -> dict[str, str]:
        """As it is planted."""
        return {"id": self.id, "title": self.title, "text": self.text, "tenant": self.tenant}


def invented(data: bytes) -> str:
    """A word of five letters nobody uses, e.g. `ZOVAK`."""
    alphabets = (_ONSETS, _VOWELS, _ONSETS, _VOWELS, _ENDS)
    return "".join(letters[byte % len(letters)] for letters, byte in zip(alphabets, data, strict=True))


def fixture(seed: int, tenants: tuple[str, ...]) -> tuple[Fact, ...]:
    """Four documents for each tenant; the same seed and names always give the same."""
    return tuple(fact for at, tenant in enumerate(tenants) for fact in _facts(seed, at, tenant))


def _facts(seed: int, at: int, tenant: str) -> list[Fact]:
    digest = hashlib.sha256(f"{seed}/tenant/{tenant}".encode()).digest()
    person = _PEOPLE[at % len(_PEOPLE)]
    word = [invented(digest[i : i + 5]) for i in range(0, 25, 5)]
    number = [int.from_bytes(digest[i : i + 2], "big") % 9000 + 1000 for i in range(24, 32, 2)]
    made = (
        ("order", "Order of", f"order {word[0]}-{number[0]}", "the number of the latest order",
         f"{tenant} placed the order [[M]] for the autumn season. It was confirmed by {person}."),
        ("project", "Project of", f"{word[1]}{word[2]}", "the code name of the new project",
         f"The new project of {tenant} has the code name [[M]]. It starts in spring."),
        ("contact", "Contact of", f"{word[3].lower()}.{number[1]}@mail.example", "the e-mail address of the contact",
         f"{person} is the contact of {tenant} and is reached at [[M]]."),
        ("contract", "Contract of", f"{word[4]} {number[2]} {number[3]}", "the reference of the contract",
         f"The contract of {tenant} has the reference [[M]] and runs for two years."),
    )  # fmt: skip
    return [
        Fact(
            tenant=tenant,
            id=f"tenant-{at + 1}-{kind}",
            title=f"{title} {tenant}",
            text=text.replace("[[M]]", marker),
            marker=marker,
            subject=f"{subject} of {tenant}",
            question=f"What is {subject} of {tenant}?",
        )
        for kind, title, marker, subject, text in made
    ]


def crossings(facts: tuple[Fact, ...]) -> list[tuple[str, Fact]]:
    """Who asks for which fact of somebody else."""
    tenants = tuple(dict.fromkeys(fact.tenant for fact in facts))
    return [(asker, fact) for asker, owner in permutations(tenants, 2) for fact in facts if fact.tenant == owner]
