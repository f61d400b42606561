"""Code that judges an output, rule by rule: what `scorers:` in a suite may name, and the same classes for Python.

`catalog` maps the names suites use to the classes; every class is a frozen dataclass whose fields are its options.
The classes are loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalwright.scorers.catalog import SCORERS, load

if TYPE_CHECKING:
    from evalwright.scorers.agents.blame import TroubleFree
    from evalwright.scorers.agents.conversation import ReplaySame, UserGoal
    from evalwright.scorers.agents.memory import Forgets, Remembers
    from evalwright.scorers.agents.outcome import ErrorRecovery, GoalState, Steps
    from evalwright.scorers.agents.policy import ToolPolicy
    from evalwright.scorers.agents.tool_calls import ToolCalls
    from evalwright.scorers.classical.classes import F1, Accuracy, BalancedAccuracy, LabelKappa, Mcc, Precision, Recall
    from evalwright.scorers.classical.fairness import FairnessGap
    from evalwright.scorers.classical.probabilities import Brier, CalibrationError, LogLoss, PrAuc, RocAuc
    from evalwright.scorers.classical.regression import Bias, MeanAbsoluteError, RootMeanSquaredError, RSquared
    from evalwright.scorers.formats.sql import ValidSql
    from evalwright.scorers.formats.valid import ValidFormat
    from evalwright.scorers.judge.grounded import GroundednessJudged
    from evalwright.scorers.judge.pairwise import JudgePairwise
    from evalwright.scorers.judge.panel import JudgePanel
    from evalwright.scorers.judge.pointwise import Judge
    from evalwright.scorers.operations import Cost, FirstToken, Latency, Tokens
    from evalwright.scorers.rag.abstention import AbstentionCorrectness
    from evalwright.scorers.rag.answer import AnswerRelevance, Completeness
    from evalwright.scorers.rag.citing import CitationPrecision, CitationRecall, CitationValidity
    from evalwright.scorers.rag.context import ContextRecall, ContextRelevance, NoiseSensitivity
    from evalwright.scorers.rag.groundedness import Groundedness
    from evalwright.scorers.refusal.scorers import RefusalCorrectness, RefusalRate
    from evalwright.scorers.retrieval.scorers import (
        Bpref,
        HitRate,
        MeanAveragePrecision,
        MeanReciprocalRank,
        Ndcg,
        PrecisionAtK,
        RecallAtK,
        RPrecision,
    )
    from evalwright.scorers.rules.citations import CitationFormat, CitationPresence
    from evalwright.scorers.rules.contains import Contains
    from evalwright.scorers.rules.exact import ExactMatch
    from evalwright.scorers.rules.json_schema import JsonSchema
    from evalwright.scorers.rules.language import Language
    from evalwright.scorers.rules.length import Length
    from evalwright.scorers.rules.numeric import Numeric
    from evalwright.scorers.rules.regex import Regex
    from evalwright.scorers.safety.judged import JudgedAttack
    from evalwright.scorers.safety.private import PiiLeak, SecretLeak
    from evalwright.scorers.safety.scorers import (
        ActiveContent,
        AttackSuccess,
        CanaryLeak,
        ControlCharacters,
        LinkExfiltration,
    )
    from evalwright.scorers.safety.terms import PolicyTerms
    from evalwright.scorers.similarity.bleu import Bleu
    from evalwright.scorers.similarity.chrf import Chrf
    from evalwright.scorers.similarity.edit import EditSimilarity
    from evalwright.scorers.similarity.embedding import EmbeddingSimilarity
    from evalwright.scorers.similarity.rouge import Rouge
    from evalwright.scorers.similarity.ter import Ter
    from evalwright.scorers.similarity.token_f1 import TokenF1

_PLACES = {place.partition(":")[2]: place for place in SCORERS.values()}

__all__ = [
    "AbstentionCorrectness",
    "Accuracy",
    "ActiveContent",
    "AnswerRelevance",
    "AttackSuccess",
    "BalancedAccuracy",
    "Bias",
    "Bleu",
    "Bpref",
    "Brier",
    "CalibrationError",
    "CanaryLeak",
    "Chrf",
    "CitationFormat",
    "CitationPrecision",
    "CitationPresence",
    "CitationRecall",
    "CitationValidity",
    "Completeness",
    "Contains",
    "ContextRecall",
    "ContextRelevance",
    "ControlCharacters",
    "Cost",
    "EditSimilarity",
    "EmbeddingSimilarity",
    "ErrorRecovery",
    "ExactMatch",
    "F1",
    "FairnessGap",
    "FirstToken",
    "Forgets",
    "GoalState",
    "Groundedness",
    "GroundednessJudged",
    "HitRate",
    "JsonSchema",
    "Judge",
    "JudgePairwise",
    "JudgedAttack",
    "JudgePanel",
    "LabelKappa",
    "Language",
    "Latency",
    "Length",
    "LinkExfiltration",
    "LogLoss",
    "Mcc",
    "MeanAbsoluteError",
    "MeanAveragePrecision",
    "MeanReciprocalRank",
    "Ndcg",
    "NoiseSensitivity",
    "Numeric",
    "PiiLeak",
    "PolicyTerms",
    "PrAuc",
    "Precision",
    "PrecisionAtK",
    "RPrecision",
    "RSquared",
    "Recall",
    "RecallAtK",
    "RefusalCorrectness",
    "RefusalRate",
    "Regex",
    "Remembers",
    "ReplaySame",
    "RocAuc",
    "RootMeanSquaredError",
    "Rouge",
    "SCORERS",
    "SecretLeak",
    "Steps",
    "Ter",
    "TokenF1",
    "Tokens",
    "ToolCalls",
    "ToolPolicy",
    "TroubleFree",
    "UserGoal",
    "ValidFormat",
    "ValidSql",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return load(_PLACES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
