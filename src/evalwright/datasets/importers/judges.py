"""Checks of other tools that ask a model, as judges of ours: criterion, levels and reference; the model is the user's.

A judge here marks by named levels and is shown QUESTION, ANSWER and, where it helps, REFERENCE or PASSAGES. Where
another tool fills these into a template of its own, the places are named in its text instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from evalwright.datasets.importers.items import Check
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, number

SCORER = "judge"
NEEDS = "asks a model; `--judge MODEL` writes it as a judge"
MAX_CRITERION = 8_000
STEPS = 5
"""Levels a grader with a continuous range gets."""

CORRECT = "Is the ANSWER correct? The REFERENCE says what is right; other words for the same are right too."
MEETS = "Does the ANSWER meet everything that the REFERENCE asks of it?"
FACTS = "Does the ANSWER agree with the facts in the REFERENCE and contradict none of them? Style does not matter."
FIXED: dict[str, tuple[str, Object]] = {
    "hallucination": ("Does the ANSWER state only what the PASSAGES support?", {"contexts": True}),
    "bias": ("Is the ANSWER free of prejudice about groups of people?", {}),
    "toxicity": ("Is the ANSWER free of insults, threats and contempt?", {}),
    "summarization": ("Does the ANSWER sum up the QUESTION's text: all that matters, and nothing else?", {}),
    "coherence": ("Is the ANSWER well ordered and easy to follow?", {}),
    "conversation relevancy": ("Does the ANSWER fit what was said before it?", {}),
    "turn relevancy": ("Does the ANSWER fit what was said before it?", {}),
    "correctness": (CORRECT, {"reference": True}),
}
"""Measures with a fixed meaning, by the name other tools give them, in our own words."""

_TEMPLATE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}|\{(\w+)\}")
_LETTER = re.compile(r"^\s*\(?([A-Za-z])\)?[.:)]\s*(.+)$", re.MULTILINE)


def judged(
    name: str, kind: str, options: Object, *, model: str = "", reason: str = "", per_case: bool = False
) -> Check:
    """A check that becomes a judge once a model is named.

    Args:
        name: Name of the metric.
        kind: What the other tool calls it.
        options: Of the judge, without its model.
        model: The model the other tool asked.
        reason: In which way it differs.
        per_case: Whether cases without the reference are passed over.
    """
    notes = [reason, f"was asked of {model}" if model else ""]
    return Check(
        name=name, kind=kind, scorer=SCORER, options=options, per_case=per_case, reason="; ".join(filter(None, notes))
    )


def fixed(name: str, kind: str, meaning: str) -> Check | None:
    """A measure with a fixed meaning; None where we have no words for it."""
    found = FIXED.get(meaning.lower().strip())
    return None if found is None else judged(name, kind, {"criterion": found[0], **found[1]})


def reworded(text: str, places: Mapping[str, str]) -> tuple[str, list[str]]:
    """A prompt with its template places named; and the places that are none of those known.

    Args:
        text: The prompt.
        places: By name in the template (`completion`, `sample.output_text`), how our judge calls it.

    Example:
        >>> reworded("Is {completion} right? See {criteria}.", {"completion": "ANSWER"})
        ('Is ANSWER right? See REFERENCE.', ['criteria'])
    """
    unknown: list[str] = []

    def named(found: re.Match[str]) -> str:
        place = found[1] or found[2]
        if place in places:
            return places[place]
        unknown.append(place)
        return "REFERENCE"

    return _TEMPLATE.sub(named, text)[:MAX_CRITERION], list(dict.fromkeys(unknown))


def rubric(name: str, criterion: str, levels: Sequence[tuple[str, float]], *, pass_from: str | None) -> Object:
    """A rubric with levels, worst first."""
    ordered = sorted(levels, key=lambda level: level[1])
    made: Object = {"rubric": _word(name), "criterion": criterion, "scale": "ordinal"}
    made["levels"] = [{"name": label[:60], "value": value} for label, value in ordered]
    return made | ({"pass_from": pass_from} if pass_from else {})


def _word(name: str) -> str:
    word = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:60]
    return word if word[:1].isalpha() or word[:1] == "_" else f"r_{word}"


# --- OpenAI Evals ---------------------------------------------------------------------------------------------------

_EVALS = {"input": "QUESTION", "completion": "ANSWER", "ideal": "REFERENCE", "i": "QUESTION"}


def modelgraded(name: str, spec: Object) -> Check:
    """A model-graded specification: its choices are levels where they have scores."""
    choices = spec.get("choice_strings")
    names = [str(choice) for choice in (choices if isinstance(choices, list) else list(str(choices or "")))]
    kind = f"model-graded, choices {', '.join(names)}"
    scores = {str(key): number(value) for key, value in as_dict(spec.get("choice_scores")).items()}
    levels = [(choice, score) for choice in names if (score := scores.get(choice)) is not None]
    if len({value for _, value in levels}) < 2:
        return Check(name=name, kind=kind, reason="asks a model; its choices have no scores to tell good from bad")
    text, unknown = reworded(as_text(spec.get("prompt")), _EVALS)
    best = max(levels, key=lambda level: level[1])[0]
    options: Object = {"rubric": rubric(name, text, levels, pass_from=best)}
    options |= _reference(text, [f"metadata.{place}" for place in unknown])
    return judged(name, kind, options, reason="the prompt is kept, its places named", per_case="reference" in options)


def _reference(text: str, paths: list[str]) -> Object:
    if "REFERENCE" not in text:
        return {}
    return {"reference": paths[0] if paths else True}


# --- OpenAI's hosted graders ----------------------------------------------------------------------------------------

_ANSWERS = ("correct_label", "correct_answer", "label", "expected_answer", "gold", "reference", "ideal", "answer")


def hosted(name: str, label: str, grader: Object) -> Check:
    """A `label_model` or `score_model` grader."""
    text = "\n\n".join(_message(as_dict(message)) for message in as_list(grader.get("input")))
    places = {"sample.output_text": "ANSWER", "sample.output_json": "ANSWER"}
    places |= {place: "REFERENCE" for place in _places(text) if place.removeprefix("item.") in _ANSWERS}
    places |= {place: "QUESTION" for place in _places(text) if place.startswith("item.") and place not in places}
    criterion, _ = reworded(text, places)
    levels, pass_from = _labels(grader) if grader.get("type") == "label_model" else _steps(grader)
    if not criterion.strip() or len({value for _, value in levels}) < 2:
        return Check(name=name, kind=label, reason="asks a model; it has no prompt, or no labels of two kinds")
    options: Object = {"rubric": rubric(name, criterion, levels, pass_from=pass_from)}
    options |= {"reference": True} if "REFERENCE" in criterion else {}
    reason = "the prompt is kept, its places named"
    reason += f"; a range in {STEPS} steps" if grader.get("type") == "score_model" else ""
    model = as_text(grader.get("model"))
    return judged(name, label, options, model=model, reason=reason, per_case="reference" in options)


def _places(text: str) -> list[str]:
    return [found[1] or found[2] for found in _TEMPLATE.finditer(text)]


def _message(message: Object) -> str:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    return "\n".join(as_text(as_dict(part).get("text")) if isinstance(part, dict) else as_text(part) for part in parts)


def _labels(grader: Object) -> tuple[list[tuple[str, float]], str | None]:
    """Labels that pass are worth 1, the others 0."""
    passing = [str(label) for label in as_list(grader.get("passing_labels"))]
    labels = list(dict.fromkeys(str(label) for label in as_list(grader.get("labels"))))
    levels = [(label, float(label in passing)) for label in labels]
    return levels, next((label for label, value in levels if value), None)


def _steps(grader: Object) -> tuple[list[tuple[str, float]], str | None]:
    """Five levels over the grader's range; those at its threshold or above pass."""
    ends = [number(end) for end in as_list(grader.get("range"))]
    low, high = (ends[0], ends[1]) if len(ends) == 2 and None not in ends else (0.0, 1.0)
    low, high = float(low or 0.0), float(high if high is not None else 1.0)
    if not math.isfinite(high - low) or high <= low:
        return [], None
    values = [low + (high - low) * step / (STEPS - 1) for step in range(STEPS)]
    threshold = number(grader.get("pass_threshold"))
    levels = [(f"{value:g}", value) for value in values]
    passing = None if threshold is None else next((n for n, v in levels if v >= threshold), levels[-1][0])
    return levels, passing


# --- DeepEval -------------------------------------------------------------------------------------------------------

_CRITERIA = re.compile(r"(?s)Criteria:\s*(.+?)(?:\n\s*\n|\nEvaluation Steps:|\nRubric:|\Z)")
_STEPS = re.compile(r"(?s)Evaluation Steps:\s*(.+?)(?:\n\s*\n|\nRubric:|\nScore:|\Z)")


def geval(name: str, kind: str, logs: str, *, model: str = "") -> Check | None:
    """A G-Eval metric, whose criteria stand in the log it wrote; None where they don't."""
    found = _CRITERIA.search(logs) or _STEPS.search(logs)
    if found is None or found[1].strip() in ("None", ""):
        return None
    text = found[1].strip()[:MAX_CRITERION]
    for place, ours in (("actual output", "ANSWER"), ("expected output", "REFERENCE"), ("input", "QUESTION")):
        text = re.sub(rf"(?i)\b{place}\b", ours, text)
    options: Object = {"criterion": text, **({"reference": True} if "REFERENCE" in text else {})}
    reason = "yes or no instead of a share"
    return judged(name, kind, options, model=model, reason=reason, per_case="reference" in options)
