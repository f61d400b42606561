"""The JSON Schema of suite files, for editors: completion and checks for every scorer and target with its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.component import Vocabulary
from evalwright.suites.keys import main_option, option_keys
from evalwright.suites.options import options_model
from evalwright.suites.sections import (
    DatasetSection,
    RuleSection,
    RunSection,
    ScorerKeys,
    Section,
    SliceSection,
    SuiteSection,
)

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OPENING = "# yaml-language-server: $schema="


def suite_schema(vocabulary: Vocabulary) -> Schema:
    """The JSON Schema (draft 2020-12) of a suite file.

    Args:
        vocabulary: The scorers and targets to offer.
    """
    definitions: Schema = {}
    top = _section(SuiteSection, definitions)
    properties = top["properties"]
    for name, part in {
        "dataset": _dataset(definitions),
        "target": _target(vocabulary, definitions),
        "slices": {"type": "object", "additionalProperties": _slice(definitions)},
        "scorers": {"type": "array", "items": _scorer(vocabulary, definitions)},
        "run": _section(RunSection, definitions),
        "gate": {"type": "array", "items": _section(RuleSection, definitions)},
    }.items():
        properties[name] = {"description": properties[name].get("description", ""), **part}
    return {"$schema": _DIALECT, "title": "Evalwright suite", **top, "$defs": dict(sorted(definitions.items()))}


def schema_text(vocabulary: Vocabulary) -> str:
    """The schema as a file holds it: indented, keys in order, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(suite_schema(vocabulary)), indent=2).decode() + "\n"


def write_schema(vocabulary: Vocabulary, path: Path) -> bool:
    """Write the schema into a file, making its folder; whether the file changed."""
    text = schema_text(vocabulary)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def modeline(schema: str) -> str:
    """The comment at the head of a suite file by which editors find the schema."""
    return _OPENING + schema


def _section(kind: type[Section], definitions: Schema) -> Schema:
    made = kind.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update({name: _tidy(item) for name, item in made.pop("$defs", {}).items()})
    tidy: Schema = _tidy(made)
    return tidy


def _dataset(definitions: Schema) -> Schema:
    return {
        "anyOf": [
            {"type": "string", "description": "A JSONL, JSON, CSV or Parquet file, relative to the suite file."},
            {"type": "array", "items": {"type": "object"}, "description": "Cases written here."},
            _section(DatasetSection, definitions),
        ]
    }


def _slice(definitions: Schema) -> Schema:
    by = {"type": "string", "description": "Path or expression whose value names the subset."}
    return {"anyOf": [by, _section(SliceSection, definitions)]}


def _target(vocabulary: Vocabulary, definitions: Schema) -> Schema:
    return {"oneOf": [_one_target(name, vocabulary.targets[name], definitions) for name in sorted(vocabulary.targets)]}


def _one_target(name: str, component: Any, definitions: Schema) -> Schema:
    made = _options(f"target.{name}", component, definitions)
    kind = {"const": name, "description": _summary(component)}
    return {**made, "properties": {"type": kind, **made["properties"]}, "required": ["type", *made.get("required", [])]}


def _scorer(vocabulary: Vocabulary, definitions: Schema) -> Schema:
    options = {
        name: _options(f"scorer.{name}", vocabulary.scorers[name], definitions) for name in sorted(vocabulary.scorers)
    }
    common = _section(ScorerKeys, definitions)["properties"]
    pattern = r"^.+:[A-Za-z_][A-Za-z0-9_.]*$"
    return {
        "anyOf": [
            {"enum": [name for name, made in options.items() if not made.get("required")]},
            {"type": "string", "pattern": pattern, "description": "A scorer of your own: `scorers.py:name`."},
            *(_named_scorer(name, vocabulary.scorers[name], made, common) for name, made in options.items()),
            _own_scorers(),
            _mapping(patternProperties={pattern: {"type": ["object", "null"]}}, minProperties=1, maxProperties=1),
        ]
    }


def _own_scorers() -> Schema:
    return _mapping(
        description="Scorers of your own, from a Python file.",
        properties={
            "file": {"type": "string", "description": "The Python file, relative to the suite file."},
            "use": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
        },
        required=["file", "use"],
    )


def _named_scorer(name: str, component: Any, options: Schema, common: Schema) -> Schema:
    accepted: list[Schema] = [{**options, "properties": {**common, **options["properties"]}}]
    if not options.get("required"):
        accepted.append({"type": "null"})
    main = main_option(component)
    if main is not None:
        accepted.append(options["properties"][main])
    summary = _summary(component)
    value = {"description": summary, "anyOf": accepted}
    return _mapping(description=summary, properties={name: value}, required=[name])


def _options(prefix: str, component: Any, definitions: Schema) -> Schema:
    """The schema of a component's options as one mapping; what it refers to goes to the definitions, under its name."""
    if not option_keys(component):
        return _mapping(properties={})
    made = options_model(component).model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
    inner = made["$defs"]
    own = made["properties"]["value"].get("$ref", "").rpartition(".")[2]
    whole: Schema = _tidy(inner.pop(own))
    definitions.update({f"{prefix}.{name}": _tidy(item) for name, item in inner.items()})
    return {**whole, "type": "object", "additionalProperties": False}


def _mapping(**rest: Json) -> Schema:
    return {"type": "object", "additionalProperties": False, **rest}


def _summary(component: Any) -> str:
    return (component.__doc__ or "").strip().partition("\n")[0]


def _tidy(value: Json) -> Any:
    """Without pydantic's titles, which editors show instead of descriptions, and null where it is the default."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    if isinstance(kept.get("description"), str):
        kept["description"] = _unwrapped(kept["description"])
    choices = kept.get("anyOf")
    if "default" in kept and kept["default"] is None and isinstance(choices, list) and {"type": "null"} in choices:
        del kept["default"]
        rest = [choice for choice in choices if choice != {"type": "null"}]
        kept = {**kept, "anyOf": rest} if len(rest) > 1 else {**_without(kept, "anyOf"), **rest[0], **_words(kept)}
    return {key: _tidy(item) for key, item in kept.items()}


def _unwrapped(text: str) -> str:
    """A docstring with each paragraph on one line, so that wrapping it anew changes nothing."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _without(value: Schema, key: str) -> Schema:
    return {name: item for name, item in value.items() if name != key}


def _words(value: Schema) -> Schema:
    return {"description": value["description"]} if "description" in value else {}
