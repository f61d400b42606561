"""OpenAI Evals, the open-source framework: samples, the registry's YAML, model-graded YAML, logs of runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from evalwright.core.case import BadRow, Case
from evalwright.core.output import Output
from evalwright.datasets.importers.items import Answer, Check, Figures, Item, Label, Note
from evalwright.datasets.importers.judges import modelgraded
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, message_text, tokens
from evalwright.datasets.importers.yaml_file import read_yaml

_CLASSES: dict[str, tuple[str, Object, str]] = {
    "basic.match:Match": (
        "regex",
        {},
        "the answer must begin with the expected text; `exact_match` asks for all of it",
    ),
    "basic.includes:Includes": ("contains", {"mode": "any"}, ""),
    "basic.fuzzy_match:FuzzyMatch": ("token_f1", {}, "the original counts a containing text as right"),
    "basic.json_match:JsonMatch": ("exact_match", {}, ""),
    "basic.json_validator:JsonValidator": ("json_schema", {}, ""),
}


def read_samples(source: Source) -> Iterator[Item]:
    """Samples: `input` (a text or messages), `ideal` (one or several right answers), `choice` (a person's label)."""
    count = several = 0
    for row in source.rows():
        if isinstance(row, BadRow):
            yield row
            continue
        case = source.case(row)
        yield case
        if isinstance(case, Case):
            count += 1
            several += isinstance(case.expected, list)
            if "completion" in row:
                yield Answer(id=case.id, output=Output(text=as_text(row["completion"])))
            if "choice" in row:
                yield Label(id=case.id, name="choice", value=row["choice"])
    yield Figures(values={"samples": count, "samples with several right answers": several})
    yield Check(
        name="match",
        kind="samples with `ideal`",
        scorer="exact_match",
        per_case=True,
        reason="guessed: no registry file was given",
    )


def read_registry(source: Source) -> Iterator[Item]:
    """A registry file: each eval's class becomes a scorer; its samples are read when they lie beside the file."""
    registry = as_dict(read_yaml(source))
    evals = {name: as_dict(entry) for name, entry in registry.items() if "class" in as_dict(entry)}
    if not evals:
        raise source.error("no registry of evals: no entry has a `class`")
    aliases = [name for name, entry in registry.items() if "id" in as_dict(entry)]
    for name, entry in evals.items():
        yield _check(name, entry)
        yield from _samples(source, name, as_dict(entry.get("args")))
    yield Figures(values={"evals": len(evals), "names": len(aliases)})


def _check(name: str, entry: Object) -> Check:
    kind = str(entry["class"]).removeprefix("evals.elsuite.")
    args = as_dict(entry.get("args"))
    label = name.partition(".")[0]
    if "ModelBasedClassify" in kind:
        spec = args.get("modelgraded_spec", "")
        reason = f"asks a model by the specification {spec!r}; import its YAML file"
        return Check(name=label, kind=f"{kind} ({spec})", reason=reason)
    found = _CLASSES.get(kind)
    if found is None:
        return Check(name=label, kind=kind, reason="there is no scorer of this kind")
    scorer, options, reason = found
    if scorer == "regex":
        scorer = "exact_match"
    if args.get("ignore_case"):
        options = {**options, "ignore_case": True}
    return Check(name=label, kind=kind, scorer=scorer, options=options, reason=reason, per_case=True)


def _samples(source: Source, name: str, args: Object) -> Iterator[Item]:
    given = args.get("samples_jsonl") or args.get("dataset")
    if not isinstance(given, str):
        yield Note(text=f"{name}: names no samples")
        return
    path = source.beside(given) or source.beside(PurePosixPath(given).name)
    if path is None:
        yield Note(text=f"{name}: its samples `{given}` are not beside this file; import them too")
        return
    for item in read_samples(Source(path, fields=source.fields)):
        if not isinstance(item, (Check, Figures)):
            yield item


def read_modelgraded(source: Source) -> Iterator[Item]:
    """A model-graded specification: a judge, where its choices have scores."""
    specs = {name: as_dict(spec) for name, spec in as_dict(read_yaml(source)).items() if "prompt" in as_dict(spec)}
    if not specs:
        raise source.error("no model-graded specification: no entry has a `prompt`")
    for name, spec in specs.items():
        yield modelgraded(name, spec)
    yield Figures(values={"specifications": len(specs)})


def read_log(source: Source) -> Iterator[Item]:
    """A run's log: samples with what was asked, answered and decided; the final report."""
    found: dict[str, Object] = {}
    figures: Object = {}
    for row in source.rows():
        if isinstance(row, BadRow):
            yield row
        elif "spec" in row:
            figures["eval"] = as_dict(row["spec"]).get("eval_name")
            figures["model"] = as_text(as_list(as_dict(row["spec"]).get("completion_fns"))[:1])
        elif "final_report" in row:
            figures["final report"] = row["final_report"]
        elif isinstance(row.get("sample_id"), str):
            _event(found.setdefault(row["sample_id"], {}), row)
    for name, sample in found.items():
        yield from _logged(name, sample)
    yield Figures(values={**figures, "samples": len(found)})


def _event(sample: Object, row: Object) -> None:
    data = as_dict(row.get("data"))
    kind = str(row.get("type"))
    if kind == "sampling":
        sample.setdefault("input", data.get("prompt"))
        sample["sampled"] = data.get("sampled")
        sample["usage"] = data.get("usage")
    elif kind in ("match", "metrics"):
        sample.setdefault("scores", {}).update({k: v for k, v in data.items() if isinstance(v, (bool, int, float))})
        if kind == "match":
            sample["expected"] = data.get("expected")
    elif kind == "error":
        sample["error"] = as_text(data or row.get("message"))


def _logged(name: str, sample: Object) -> Iterator[Item]:
    if sample.get("input") is None:
        yield BadRow(line=0, reason=f"the sample {name} has no sampling event, so its input is unknown", text=name)
        return
    yield Case(id=name, input=sample["input"], expected=sample.get("expected"))
    sampled = sample.get("sampled")
    text = message_text(sampled[0] if isinstance(sampled, list) and sampled else sampled)
    output = Output(text=text, usage=tokens(as_dict(sample.get("usage"))))
    yield Answer(id=name, output=output, scores=sample.get("scores", {}), error=sample.get("error"))
