"""The names suites use for the built-in scorers, and the classes behind them (`"module:Class"`)."""

from __future__ import annotations

import importlib
from typing import Any

SCORERS: dict[str, str] = {
    "abstention_correctness": "evalwright.scorers.rag.abstention:AbstentionCorrectness",
    "accuracy": "evalwright.scorers.classical.classes:Accuracy",
    "active_content": "evalwright.scorers.safety.scorers:ActiveContent",
    "answer_relevance": "evalwright.scorers.rag.answer:AnswerRelevance",
    "attack_success": "evalwright.scorers.safety.scorers:AttackSuccess",
    "attack_success_judged": "evalwright.scorers.safety.judged:JudgedAttack",
    "balanced_accuracy": "evalwright.scorers.classical.classes:BalancedAccuracy",
    "bias": "evalwright.scorers.classical.regression:Bias",
    "bleu": "evalwright.scorers.similarity.bleu:Bleu",
    "bpref": "evalwright.scorers.retrieval.scorers:Bpref",
    "brier": "evalwright.scorers.classical.probabilities:Brier",
    "calibration_error": "evalwright.scorers.classical.probabilities:CalibrationError",
    "canary_leak": "evalwright.scorers.safety.scorers:CanaryLeak",
    "chrf": "evalwright.scorers.similarity.chrf:Chrf",
    "citation_format": "evalwright.scorers.rules.citations:CitationFormat",
    "citation_precision": "evalwright.scorers.rag.citing:CitationPrecision",
    "citation_presence": "evalwright.scorers.rules.citations:CitationPresence",
    "citation_recall": "evalwright.scorers.rag.citing:CitationRecall",
    "citation_validity": "evalwright.scorers.rag.citing:CitationValidity",
    "cohen_kappa": "evalwright.scorers.classical.classes:LabelKappa",
    "completeness": "evalwright.scorers.rag.answer:Completeness",
    "contains": "evalwright.scorers.rules.contains:Contains",
    "context_recall": "evalwright.scorers.rag.context:ContextRecall",
    "context_relevance": "evalwright.scorers.rag.context:ContextRelevance",
    "control_characters": "evalwright.scorers.safety.scorers:ControlCharacters",
    "cost": "evalwright.scorers.operations:Cost",
    "edit_similarity": "evalwright.scorers.similarity.edit:EditSimilarity",
    "embedding_similarity": "evalwright.scorers.similarity.embedding:EmbeddingSimilarity",
    "error_recovery": "evalwright.scorers.agents.outcome:ErrorRecovery",
    "exact": "evalwright.scorers.rules.exact:ExactMatch",
    "exact_match": "evalwright.scorers.rules.exact:ExactMatch",
    "f1": "evalwright.scorers.classical.classes:F1",
    "fairness_gap": "evalwright.scorers.classical.fairness:FairnessGap",
    "first_token": "evalwright.scorers.operations:FirstToken",
    "forgets": "evalwright.scorers.agents.memory:Forgets",
    "goal_state": "evalwright.scorers.agents.outcome:GoalState",
    "groundedness": "evalwright.scorers.rag.groundedness:Groundedness",
    "hit_rate": "evalwright.scorers.retrieval.scorers:HitRate",
    "json_schema": "evalwright.scorers.rules.json_schema:JsonSchema",
    "groundedness_judged": "evalwright.scorers.judge.grounded:GroundednessJudged",
    "judge": "evalwright.scorers.judge.pointwise:Judge",
    "judge_pairwise": "evalwright.scorers.judge.pairwise:JudgePairwise",
    "judge_panel": "evalwright.scorers.judge.panel:JudgePanel",
    "language": "evalwright.scorers.rules.language:Language",
    "latency": "evalwright.scorers.operations:Latency",
    "length": "evalwright.scorers.rules.length:Length",
    "link_exfiltration": "evalwright.scorers.safety.scorers:LinkExfiltration",
    "log_loss": "evalwright.scorers.classical.probabilities:LogLoss",
    "mae": "evalwright.scorers.classical.regression:MeanAbsoluteError",
    "map": "evalwright.scorers.retrieval.scorers:MeanAveragePrecision",
    "mcc": "evalwright.scorers.classical.classes:Mcc",
    "mrr": "evalwright.scorers.retrieval.scorers:MeanReciprocalRank",
    "ndcg": "evalwright.scorers.retrieval.scorers:Ndcg",
    "noise_sensitivity": "evalwright.scorers.rag.context:NoiseSensitivity",
    "numeric": "evalwright.scorers.rules.numeric:Numeric",
    "pii_leak": "evalwright.scorers.safety.private:PiiLeak",
    "policy_terms": "evalwright.scorers.safety.terms:PolicyTerms",
    "pr_auc": "evalwright.scorers.classical.probabilities:PrAuc",
    "precision": "evalwright.scorers.classical.classes:Precision",
    "precision_at_k": "evalwright.scorers.retrieval.scorers:PrecisionAtK",
    "r2": "evalwright.scorers.classical.regression:RSquared",
    "r_precision": "evalwright.scorers.retrieval.scorers:RPrecision",
    "recall": "evalwright.scorers.classical.classes:Recall",
    "recall_at_k": "evalwright.scorers.retrieval.scorers:RecallAtK",
    "refusal": "evalwright.scorers.refusal.scorers:RefusalRate",
    "refusal_correctness": "evalwright.scorers.refusal.scorers:RefusalCorrectness",
    "regex": "evalwright.scorers.rules.regex:Regex",
    "remembers": "evalwright.scorers.agents.memory:Remembers",
    "replay_same": "evalwright.scorers.agents.conversation:ReplaySame",
    "rmse": "evalwright.scorers.classical.regression:RootMeanSquaredError",
    "roc_auc": "evalwright.scorers.classical.probabilities:RocAuc",
    "rouge": "evalwright.scorers.similarity.rouge:Rouge",
    "secret_leak": "evalwright.scorers.safety.private:SecretLeak",
    "steps": "evalwright.scorers.agents.outcome:Steps",
    "ter": "evalwright.scorers.similarity.ter:Ter",
    "token_f1": "evalwright.scorers.similarity.token_f1:TokenF1",
    "tokens": "evalwright.scorers.operations:Tokens",
    "tool_calls": "evalwright.scorers.agents.tool_calls:ToolCalls",
    "tool_policy": "evalwright.scorers.agents.policy:ToolPolicy",
    "trouble_free": "evalwright.scorers.agents.blame:TroubleFree",
    "user_goal": "evalwright.scorers.agents.conversation:UserGoal",
    "valid_format": "evalwright.scorers.formats.valid:ValidFormat",
    "valid_sql": "evalwright.scorers.formats.sql:ValidSql",
}


def load(place: str) -> Any:
    """The class at a `"module:Class"` place.

    Raises:
        ImportError: The module does not exist or an optional package it needs is missing.
        AttributeError: The module has no such class.
    """
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
