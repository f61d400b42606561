"""Every built-in scorer through the conformance kit that ships."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

import evalwright.scorers
from evalwright.core.case import Case
from evalwright.core.output import Output, Passage, ToolCall, Usage
from evalwright.scorers.catalog import SCORERS, load
from evalwright.testing import ScorerKit, check_scorer

PASSAGES = (Passage(id="a", text="Refunds take five days."), Passage(id="b", text="Ask the office."))
TEXT = [
    (Case(id="same", input="q", expected="Refunds take five days."), Output(text="Refunds take five days.")),
    (Case(id="other", input="q", expected=["Ten days", "10 days"]), Output(text="It takes ten days [a].")),
]
TIMED = [(Case(id="t", input="q"), Output(text="x", latency_s=1.5, first_token_s=0.2, cost=0.001, usage=Usage()))]
CITED = [(Case(id="c", input="q"), Output(text="Five days [a]. Ask [b].", contexts=PASSAGES))]
RETRIEVED = [
    (Case(id="ids", input="q", expected=["a", "z"]), Output(text="x", contexts=PASSAGES)),
    (Case(id="grades", input="q", expected={"b": 2, "a": 0}), Output(text="x", contexts=PASSAGES)),
]
RAG = [
    (
        Case(
            id="rag",
            input={"question": "How long do refunds take?"},
            expected=["Refunds take five days."],
            metadata={"answerable": True},
        ),
        Output(text="They take five days [a].", contexts=PASSAGES),
    ),
]
SAFETY = [
    (Case(id="s", input="q", metadata={"should_refuse": True}), Output(text="I'm sorry, but I can't help with that."))
]
AGENT = [
    (
        Case(id="agent", input="q", expected=["pay(to='Ada')"], metadata={"goal": {"paid": True}}),
        Output(
            text="Paid.",
            tool_calls=(
                ToolCall(name="pay", arguments={}, error="no payee"),
                ToolCall(name="pay", arguments={"to": "Ada"}),
            ),
            messages=({"role": "user", "content": "Pay."}, {"role": "assistant", "content": "Paid."}),
            metadata={"state": {"paid": True}},
        ),
    )
]
TALKS = [
    (
        Case(id="t", input={"goal": "a refund"}),
        Output(
            text="Done.",
            metadata={
                "conversation": {"ended": "goal_reached", "reason": "it is done", "turns": 2},
                "replay": {"turns": 2, "same": 1, "diverged_at": 2, "answered": "Done."},
            },
        ),
    )
]
MEMORY = [
    (
        Case(id="m", input=["q"], metadata={"told": ["Ada", {"text": ["4711"], "turn": 1}]}),
        Output(
            text="Hello, Ada.",
            messages=(
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hello, Ada. Your number is 4711."},
                {"role": "user", "content": "And now?"},
                {"role": "assistant", "content": "Hello, Ada."},
            ),
        ),
    )
]
LOCALE = [(Case(id="l", input={"locale": "en-GB"}), Output(text="The parcel comes on Monday or Tuesday morning."))]

ATTACK = [
    (
        Case(id="a", input="q", expected={"oracle": {"kind": "marker", "values": ["ZOVAK 7319"]}, "utility": "days"}),
        Output(text="ZOVAK-7319, in five days"),
    )
]

LABELLED = [
    (Case(id=f"l{i}", input="q", expected=true), Output(text=said, data={"confidence": sure}))
    for i, (true, said, sure) in enumerate([("a", "a", 0.9), ("a", "b", 0.6), ("b", "b", 0.8), ("b", "a", 0.4)] * 3)
]
GROUPED = [(Case(id=c.id, input="q", expected=c.expected, metadata={"g": c.id[-1:] > "4"}), o) for c, o in LABELLED]
NUMBERED = [
    (Case(id=f"n{i}", input="q", expected=true), Output(text=said))
    for i, (true, said) in enumerate([(7, "8"), (3, "3")])
]

KITS: dict[str, list[tuple[dict[str, Any], ScorerKit]]] = {
    "accuracy": [({}, ScorerKit(rows=LABELLED))],
    "balanced_accuracy": [({}, ScorerKit(rows=LABELLED))],
    "precision": [({}, ScorerKit(rows=LABELLED))],
    "recall": [({"average": "weighted"}, ScorerKit(rows=LABELLED))],
    "f1": [({}, ScorerKit(rows=LABELLED)), ({"average": "binary", "positive": "a"}, ScorerKit(rows=LABELLED))],
    "mcc": [({}, ScorerKit(rows=LABELLED))],
    "cohen_kappa": [({}, ScorerKit(rows=LABELLED))],
    "fairness_gap": [({"group": "metadata.g", "min_n": 1}, ScorerKit(rows=GROUPED, needs=("expected", "metadata.g")))],
    "roc_auc": [({"positive": "a"}, ScorerKit(rows=LABELLED, needs_output=("data",), empty="any"))],
    "pr_auc": [({"positive": "a"}, ScorerKit(rows=LABELLED, needs_output=("data",), empty="any"))],
    "calibration_error": [({}, ScorerKit(rows=LABELLED, needs_output=("data",), empty="any"))],
    "brier": [({}, ScorerKit(rows=LABELLED, needs_output=("data",), empty="any"))],
    "log_loss": [({}, ScorerKit(rows=LABELLED, needs_output=("data",), empty="any"))],
    "bias": [({}, ScorerKit(rows=NUMBERED, empty="any"))],
    "mae": [({}, ScorerKit(rows=NUMBERED, empty="any"))],
    "rmse": [({}, ScorerKit(rows=NUMBERED, empty="any"))],
    "r2": [({}, ScorerKit(rows=NUMBERED, empty="any"))],
    "exact": [({}, ScorerKit(rows=TEXT)), ({"normalize": True}, ScorerKit(rows=TEXT))],
    "contains": [({}, ScorerKit(rows=TEXT)), ({"values": ["days"], "mode": "none"}, ScorerKit(rows=TEXT, needs=()))],
    "regex": [
        ({"patterns": r"\d+|[a-z]+"}, ScorerKit(rows=TEXT, needs=())),
        ({"patterns": r"(\w+) days", "group": 1}, ScorerKit(rows=TEXT)),
    ],
    "json_schema": [({"schema": {"type": "object"}}, ScorerKit(rows=TEXT, needs=()))],
    "numeric": [({}, ScorerKit(rows=[(Case(id="n", input="q", expected=7), Output(text="7 days"))]))],
    "length": [
        ({}, ScorerKit(rows=TEXT, needs=())),
        ({"unit": "sentences", "max": 3}, ScorerKit(rows=TEXT, needs=())),
        ({"unit": "tokens", "min": 1}, ScorerKit(rows=TEXT, needs=())),
    ],
    "language": [({}, ScorerKit(rows=LOCALE, needs=("input.locale",)))],
    "citation_presence": [
        ({}, ScorerKit(rows=CITED, needs=())),
        ({"every_sentence": True}, ScorerKit(rows=CITED, needs=())),
    ],
    "citation_format": [({}, ScorerKit(rows=CITED, needs=(), needs_output=("contexts",), empty="any"))],
    "edit_similarity": [({}, ScorerKit(rows=TEXT)), ({"measure": "jaro_winkler"}, ScorerKit(rows=TEXT))],
    "embedding_similarity": [({}, ScorerKit(rows=TEXT))],
    "token_f1": [({}, ScorerKit(rows=TEXT)), ({"tokens": "words", "measure": "recall"}, ScorerKit(rows=TEXT))],
    "bleu": [({}, ScorerKit(rows=TEXT)), ({"tokenize": "intl", "smooth": "floor"}, ScorerKit(rows=TEXT))],
    "chrf": [({}, ScorerKit(rows=TEXT)), ({"word_order": 2}, ScorerKit(rows=TEXT))],
    "rouge": [
        ({}, ScorerKit(rows=TEXT)),
        ({"variant": "rouge2", "stem": True}, ScorerKit(rows=TEXT)),
        ({"variant": "rougeLsum", "split": "sentences"}, ScorerKit(rows=TEXT)),
    ],
    "recall_at_k": [({"k": 1}, ScorerKit(rows=RETRIEVED))],
    "precision_at_k": [({}, ScorerKit(rows=RETRIEVED))],
    "hit_rate": [({"k": 1}, ScorerKit(rows=RETRIEVED))],
    "mrr": [({}, ScorerKit(rows=RETRIEVED))],
    "map": [({}, ScorerKit(rows=RETRIEVED)), ({"geometric": True}, ScorerKit(rows=RETRIEVED))],
    "ndcg": [({"gain": "exponential"}, ScorerKit(rows=RETRIEVED))],
    "bpref": [({}, ScorerKit(rows=RETRIEVED))],
    "r_precision": [({}, ScorerKit(rows=RETRIEVED))],
    "groundedness": [({}, ScorerKit(rows=RAG, needs=(), needs_output=("contexts",), empty="any"))],
    "context_recall": [({}, ScorerKit(rows=RAG, needs_output=("contexts",)))],
    "context_relevance": [({}, ScorerKit(rows=RAG, needs=("input.question",), needs_output=("contexts",)))],
    "noise_sensitivity": [({}, ScorerKit(rows=RAG, needs_output=("contexts",), empty="any"))],
    "completeness": [({}, ScorerKit(rows=RAG))],
    "answer_relevance": [({}, ScorerKit(rows=RAG, needs=("input.question",)))],
    "abstention_correctness": [({}, ScorerKit(rows=RAG, needs=("metadata.answerable",)))],
    "citation_precision": [({}, ScorerKit(rows=RAG, needs=(), needs_output=("contexts",), empty="any"))],
    "citation_recall": [({}, ScorerKit(rows=RAG, needs=(), needs_output=("contexts",), empty="any"))],
    "citation_validity": [({}, ScorerKit(rows=RAG, needs=(), needs_output=("contexts",), empty="any"))],
    "refusal": [({"phrases": ["No comment."]}, ScorerKit(rows=TEXT, needs=(), empty="any"))],
    "refusal_correctness": [({}, ScorerKit(rows=SAFETY, needs=("metadata.should_refuse",), empty="any"))],
    "tool_calls": [({}, ScorerKit(rows=AGENT)), ({"match": "subset", "order": "same"}, ScorerKit(rows=AGENT))],
    "tool_policy": [({"forbidden": ["delete_*"]}, ScorerKit(rows=AGENT, needs=()))],
    "goal_state": [
        ({"field": "metadata.state", "expected": "metadata.goal"}, ScorerKit(rows=AGENT, needs=("metadata.goal",)))
    ],
    "error_recovery": [({}, ScorerKit(rows=AGENT, needs=(), needs_output=("tool_calls",), empty="any"))],
    "remembers": [
        ({"values": ["Paid"]}, ScorerKit(rows=AGENT, needs=())),
        ({"expected": "metadata.told"}, ScorerKit(rows=MEMORY, needs=("metadata.told",))),
    ],
    "forgets": [
        ({"values": ["4711"]}, ScorerKit(rows=AGENT, needs=())),
        ({"expected": "metadata.told"}, ScorerKit(rows=MEMORY, needs=("metadata.told",))),
    ],
    "user_goal": [({}, ScorerKit(rows=TALKS, needs=(), empty="any"))],
    "replay_same": [({}, ScorerKit(rows=TALKS, needs=(), empty="any"))],
    "steps": [
        ({}, ScorerKit(rows=AGENT, needs=())),
        ({"count": "turns", "max": 2}, ScorerKit(rows=AGENT, needs=(), needs_output=("messages",), empty="any")),
    ],
    "trouble_free": [({}, ScorerKit(rows=AGENT, needs=(), empty="any"))],
    "valid_format": [
        ({"format": name}, ScorerKit(rows=TEXT, needs=()))
        for name in ("json", "yaml", "xml", "html", "csv", "markdown", "python")
    ],
    "valid_sql": [({}, ScorerKit(rows=TEXT, needs=()))],
    "attack_success": [({}, ScorerKit(rows=ATTACK, empty="any"))],
    "canary_leak": [({"canaries": ["ZOVAK 7319"]}, ScorerKit(rows=ATTACK, needs=()))],
    "active_content": [
        ({"sink": name}, ScorerKit(rows=TEXT, needs=()))
        for name in ("html", "markdown", "sql", "shell", "template", "path", "terminal")
    ],
    "link_exfiltration": [({"secrets": ["ZOVAK 7319"]}, ScorerKit(rows=TEXT, needs=()))],
    "pii_leak": [({}, ScorerKit(rows=TEXT, needs=()))],
    "policy_terms": [({"terms": ["stage*"], "allow": ["stage play"]}, ScorerKit(rows=TEXT, needs=()))],
    "secret_leak": [({"confidence": "possible"}, ScorerKit(rows=TEXT, needs=()))],
    "control_characters": [({"contexts": True}, ScorerKit(rows=TEXT, needs=()))],
    "ter": [({}, ScorerKit(rows=TEXT))],
    "latency": [({}, ScorerKit(rows=TIMED, needs=(), needs_output=("latency_s",)))],
    "first_token": [({}, ScorerKit(rows=TIMED, needs=(), needs_output=("first_token_s",)))],
    "cost": [({}, ScorerKit(rows=TIMED, needs=(), needs_output=("cost",)))],
    "tokens": [({"count": "input"}, ScorerKit(rows=TIMED, needs=(), needs_output=("usage",)))],
}
ALIASES = {"exact_match"}
JUDGES = {"judge", "judge_pairwise", "judge_panel"}
"""Made with an endpoint by `bind`: in tests/unit/scorers/judge/test_judges.py."""
RUNS = [(name, options, kit) for name, runs in KITS.items() for options, kit in runs]


def made(name: str, options: dict[str, Any]) -> Any:
    return TypeAdapter(load(SCORERS[name])).validate_python(options)


@pytest.mark.parametrize(("name", "options", "kit"), RUNS, ids=[f"{name}-{options}" for name, options, _ in RUNS])
def test_scorer_conforms(name: str, options: dict[str, Any], kit: ScorerKit) -> None:
    check_scorer(made(name, options), replace(kit, long_seconds=60.0))


def test_every_scorer_of_the_catalog_is_in_the_battery() -> None:
    """All but the judges, which need a model and have tests of their own."""
    judges = {name for name, place in SCORERS.items() if ".judge." in place or place.endswith(".judged:JudgedAttack")}
    assert set(SCORERS) - ALIASES - judges == set(KITS)


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_options_are_documented_and_closed(name: str) -> None:
    cls = load(SCORERS[name])
    schema = TypeAdapter(cls).json_schema()
    for option, described in schema.get("properties", {}).items():
        assert described.get("description"), f"{name}.{option} has no description"
    assert cls.__doc__
    assert cls.__doc__.splitlines()[0].endswith((".", "?"))
    with pytest.raises(ValidationError, match=r"Unexpected keyword argument|Extra inputs"):
        TypeAdapter(cls).validate_python({"no_such_option": 1})


def test_python_names_are_the_catalog_s() -> None:
    classes = {place.partition(":")[2] for place in SCORERS.values()}
    assert set(evalwright.scorers.__all__) == {"SCORERS", *classes}
    assert evalwright.scorers.ExactMatch is load(SCORERS["exact"])
    assert set(dir(evalwright.scorers)) == set(evalwright.scorers.__all__)
    with pytest.raises(AttributeError, match="NoSuch"):
        _ = evalwright.scorers.NoSuch
