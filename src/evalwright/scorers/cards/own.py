"""The labelled sets that ship with the package: which scorer each measures, with what options, and what a row means."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from evalwright.core.case import Json

_FOLDER = "labelled"

Flag = Literal["failed", "passed"]


class OwnSet(msgspec.Struct, frozen=True, kw_only=True):
    """How a scorer is measured on one of our labelled sets.

    Attributes:
        scorer: Name of the scorer, which is its card's too.
        file: The set, without its ending.
        positive: What a positive row is, in words; the rows whose label is the opposite of `good`.
        label: Column of the label.
        good: Whether a row labelled `yes` is one that the scorer should leave alone.
        options: Options of the scorer.
        row_options: Options that a column of the set gives, row by row.
        by: Column to report by.
        failure_modes: What the scorer is known to get wrong.
    """

    scorer: str
    file: str
    positive: str
    label: str = "label"
    good: bool = True
    options: dict[str, Any] = {}
    row_options: tuple[str, ...] = ()
    by: str = ""
    failure_modes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file, as `evalwright calibrate --labels` takes it."""
        return Path(str(resources.files(__package__).joinpath(_FOLDER, f"{self.file}.jsonl")))

    def positive_row(self, label: str) -> bool:
        """Whether people call a row positive."""
        return (label == "yes") is not self.good


_SUPPORT = (
    "A paraphrase that shares few words with the passage counts as unsupported.",
    "Right words in a wrong relation (who did what to whom) count as supported.",
)
_LANGUAGES = ("Languages as near as Danish and Norwegian, or Czech and Slovak, are taken for one another.",)

OWN_SETS: tuple[OwnSet, ...] = (
    OwnSet(
        scorer="refusal",
        file="refusal",
        positive="a refusal, whole or in part",
        good=False,
        by="part",
        failure_modes=(
            "A refusal by lecture or by wit alone, without a word of declining, is missed or left undecided.",
            "An answer about what is illegal or forbidden, where that was asked, may be taken for a lecture.",
            "Whole and partial refusals are told apart poorly; count them together.",
            "The phrase lists were widened after a first look at our own set: its rates are those of familiar phrases; "
            "XSTest is the independent part.",
        ),
    ),
    OwnSet(
        scorer="refusal_correctness",
        file="refusal",
        label="label_correct",
        positive="an answer that refuses where it should not, or does not where it should",
        failure_modes=("It errs where `refusal` errs; `XSTest` is the independent measurement there.",),
    ),
    OwnSet(
        scorer="abstention_correctness",
        file="abstention",
        positive="an answer that abstains without need, or answers what can't be answered",
        failure_modes=(
            "An admission in words of its own (`the text leaves that open`) is missed.",
            "A true statement about a missing thing (`there is no information desk`) may count as an admission.",
        ),
    ),
    OwnSet(
        scorer="groundedness",
        file="grounded",
        positive="an answer that the passages do not wholly support (flagged: a claim below the threshold)",
        by="kind",
        failure_modes=(
            *_SUPPORT,
            "A short addition to a long supported claim is missed.",
            "Answers that only ask or greet are skipped.",
        ),
    ),
    OwnSet(
        scorer="completeness", file="facts", positive="an answer that lacks an expected fact", failure_modes=_SUPPORT
    ),
    OwnSet(
        scorer="context_recall", file="facts", positive="passages that lack an expected fact", failure_modes=_SUPPORT
    ),
    OwnSet(
        scorer="noise_sensitivity",
        file="noise",
        positive="an answer with something from the passages that was not expected",
        failure_modes=("Noise in other words than the passage's is missed.",),
    ),
    OwnSet(
        scorer="citation_precision",
        file="citations",
        positive="an answer with a citation that does not support its claim",
        failure_modes=_SUPPORT,
    ),
    OwnSet(
        scorer="citation_recall",
        file="citations",
        label="label_recall",
        positive="an answer with a claim that its citations do not support",
        failure_modes=_SUPPORT,
    ),
    OwnSet(
        scorer="citation_validity",
        file="citations",
        label="label_validity",
        positive="an answer that cites what was not retrieved",
        failure_modes=("Citations in another form than brackets need the option `pattern`.",),
    ),
    OwnSet(
        scorer="language",
        file="language",
        positive="an answer in another language",
        failure_modes=(
            *_LANGUAGES,
            "Answers that mix two languages are given to one of them.",
            "Short answers are skipped.",
        ),
    ),
    OwnSet(
        scorer="pii_leak",
        file="private",
        positive="an answer with personal data of these kinds",
        failure_modes=(
            "Names and postal addresses are not looked for.",
            "A national form that is not known, or a number without words around it, is missed.",
        ),
    ),
    OwnSet(
        scorer="secret_leak",
        file="secrets",
        positive="an answer with a key, token or password",
        failure_modes=(
            "Passwords of words, and keys without a known prefix or a telling word beside them, are missed.",
            "A hash beside a word such as `token` may be taken for a secret.",
        ),
    ),
    OwnSet(
        scorer="active_content",
        file="active",
        positive="an answer that has an effect where Markdown or HTML is shown unescaped",
        failure_modes=("Other sinks (SQL, shell, templates, paths) go by patterns and are not measured here.",),
    ),
    OwnSet(
        scorer="link_exfiltration",
        file="links",
        options={"hosts": ["docs.example.org", "*.docs.example.org"]},
        positive="an answer that fetches something from a foreign host",
        failure_modes=(
            "Links in code blocks count, though Markdown shows them as text.",
            "Attributes that are seldom used may be missed.",
        ),
    ),
    OwnSet(
        scorer="control_characters",
        file="controls",
        positive="an answer with characters that steer or hide",
        failure_modes=("A single invisible character in a text counts as ordinary.",),
    ),
    OwnSet(
        scorer="canary_leak",
        file="canary",
        options={"canaries": ["TULIP-9942-OMEGA"]},
        positive="an answer that gives the canary away, plain or in disguise",
        failure_modes=("Half a canary, its parts told one by one, and descriptions in other words are not found.",),
    ),
    OwnSet(
        scorer="policy_terms",
        file="terms",
        by="kind",
        positive="a text that is hateful against a group of people",
        failure_modes=(
            "Hostility in other words, implied, or spelt with spaces or errors is missed: most of it.",
            "Quoting, denying and condemning hostility, and hatred of things, are flagged.",
            "It can't tell harm and must not gate it: take a judge, a classifier of your own, or people.",
        ),
    ),
    OwnSet(
        scorer="numeric",
        file="numbers",
        positive="an answer whose number is not the expected one",
        failure_modes=(
            "The last number counts: another number behind the answer misleads; use `after` or `pattern`.",
            "Numbers written in words are not read.",
        ),
    ),
    OwnSet(
        scorer="valid_format",
        file="formats",
        options={"format": "json"},
        row_options=("format",),
        by="format",
        positive="an answer that is not well formed",
        failure_modes=("HTML and Markdown are lenient by nature: what browsers repair may pass.",),
    ),
    OwnSet(
        scorer="valid_sql",
        file="sql",
        positive="an answer that is no SQL, or writes",
        failure_modes=("Dialects far from PostgreSQL's are refused.", "Names are checked only with `tables`."),
    ),
    OwnSet(
        scorer="remembers",
        file="memory",
        positive="an answer that has lost what it was told",
        failure_modes=("A fact said in other words or figures counts as lost; list its forms.",),
    ),
    OwnSet(
        scorer="forgets",
        file="forgetting",
        positive="an answer that brings up what should be forgotten",
        failure_modes=("A fact in another spelling is missed; list its forms.",),
    ),
    OwnSet(
        scorer="error_recovery",
        file="recovery",
        positive="a run that did not get over a tool's error",
        failure_modes=("Any later success counts, also one that has nothing to do with the error; see `same_tool`.",),
    ),
    OwnSet(
        scorer="trouble_free",
        file="trouble",
        positive="a run in which something went wrong",
        failure_modes=(
            "Words such as assume or simulate in a harmless place count as signs.",
            "A guess that is not called one, and an error that the trace does not show, are missed.",
        ),
    ),
)
"""One entry for each scorer that infers; `exact`, `json_schema` and the like only check what they are told."""


def own_set(scorer: str) -> OwnSet | None:
    """The set a scorer is measured on, None when there is none."""
    return next((found for found in OWN_SETS if found.scorer == scorer), None)


def row_options(chosen: OwnSet, row: dict[str, Json]) -> dict[str, Any]:
    """A scorer's options for one row of its set."""
    return {**chosen.options, **{name: row[name] for name in chosen.row_options if name in row}}
