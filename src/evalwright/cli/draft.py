"""`evalwright draft`: cases made by templates or a model, kept apart until a person accepts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import json_option
from evalwright.core.errors import UsageError
from evalwright.datasets.drafting import TEMPLATE_KINDS, Draft, DraftState, Needle, NeedleGrid, Relation, read_drafts
from evalwright.datasets.drafting.asked import MODEL_KINDS
from evalwright.services import drafting

EPILOG = """\b
Examples:
  evalwright draft from-docs handbook/ --most 50
  evalwright draft from-docs handbook/ --model drafter.yaml --budget "2 USD" --most 100
  evalwright draft from-cases cases.jsonl --kind typos --kind numbers
  evalwright draft from-cases cases.jsonl --model drafter.yaml --kind paraphrase
  evalwright draft needles handbook/ --lengths 500,4000 --depths 0,50,100
  evalwright draft list drafts.jsonl
  evalwright draft accept drafts.jsonl draft-faq-1a2b3c4d5e
  evalwright draft release drafts.jsonl new-cases.jsonl"""

_file = click.Path(path_type=Path, dir_okay=False)
_place = click.Path(path_type=Path)
out_option = click.option(
    "--out", "-o", type=_file, default=Path("drafts.jsonl"), show_default=True, help="File the drafts are added to."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed.")


def model_options(command: Any) -> Any:
    """The options of commands that may ask a model."""
    options = (
        click.option(
            "--model", metavar="NAME|FILE", help="Let this model write: its name, or a YAML file of its options."
        ),
        click.option("--base-url", help="Address of the model; its provider's own by default."),
        click.option(
            "--budget", metavar="AMOUNT", default="200 calls", show_default=True, help="Cap on asking the model."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(epilog=EPILOG)
def draft() -> None:
    """Make drafts of cases by templates or by a model; none becomes a case before a person accepts it."""


@draft.command("from-docs")
@click.argument("documents", type=_place)
@click.option("--most", type=click.IntRange(1), help="Most drafts: a sample of all templates alike.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(TEMPLATE_KINDS), help="Only this template.")
@click.option(
    "--each", type=click.IntRange(1, 20), default=3, show_default=True, help="By a model: questions a section."
)
@model_options
@seed_option
@out_option
@json_option
def from_docs(
    documents: Path,
    kinds: tuple[str, ...],
    most: int | None,
    seed: int,
    out: Path,
    *,
    each: int,
    as_json: bool,
    **by: Any,
) -> None:
    """Questions with expected facts and source from DOCUMENTS (Markdown, reStructuredText, text).

    With --model a model writes them. A question is kept only when the words it quotes stand in the document.
    """
    if by["model"]:
        if kinds:
            raise UsageError("--kind names templates; a model is not asked by template", hint="leave one of them out")
        client, limits = _model(by, most)
        _kept(drafting.questions_by_model(documents, client, limits, each=each, seed=seed), out, as_json=as_json)
        return
    _kept(drafting.from_documents(documents, most=most, seed=seed, kinds=kinds), out, as_json=as_json)


@draft.command("from-cases")
@click.argument("file", type=_file)
@click.option("--kind", "kinds", multiple=True, metavar="NAME", help="Change; perturb, or with a model paraphrase.")
@click.option("--language", "languages", multiple=True, help="Language of translations.")
@click.option("--field", metavar="NAME", help="Field of the input that is changed.")
@model_options
@seed_option
@out_option
@json_option
def from_cases(
    file: Path,
    kinds: tuple[str, ...],
    field: str | None,
    seed: int,
    out: Path,
    *,
    languages: tuple[str, ...],
    as_json: bool,
    **by: Any,
) -> None:
    """Changed copies of the cases in FILE that must get the same answer, or another one.

    Kinds: typos, case, whitespace, punctuation, filler, accents (the same answer), numbers, negation (another one), and
    perturb for all of them. With --model: paraphrase, translation (the same answer), contrast (another one).
    """
    asked = [kind for kind in kinds if kind in MODEL_KINDS]
    if by["model"]:
        if other := [kind for kind in kinds if kind not in MODEL_KINDS]:
            raise UsageError(f"a model makes no `{other[0]}`", hint=f"with --model: {', '.join(MODEL_KINDS)}")
        client, limits = _model(by, None)
        change = drafting.Change(kinds=tuple(asked) or ("paraphrase",), languages=languages, field=field)
        _kept(drafting.changes_by_model(file, client, limits, change), out, as_json=as_json)
        return
    if asked or languages:
        raise UsageError(
            f"`{asked[0] if asked else 'translation'}` is written by a model", hint="name one with --model"
        )
    kinds = kinds or ("perturb",)
    _kept(drafting.from_cases(file, kinds, seed=seed, field=field), out, as_json=as_json)


@draft.command()
@click.argument("documents", type=_place)
@click.option("--lengths", default="500,2000,8000", show_default=True, help="Lengths in words.")
@click.option("--depths", default="0,25,50,75,100", show_default=True, help="Depths in percent.")
@click.option("--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, help="Texts per cell.")
@click.option("--fact", help="The needle; a made-up code word by default.")
@click.option("--question", help="Question for it.")
@click.option("--answer", help="Its answer.")
@seed_option
@out_option
@json_option
def needles(
    documents: Path,
    lengths: str,
    depths: str,
    repeats: int,
    seed: int,
    out: Path,
    *,
    as_json: bool,
    **needle: str | None,
) -> None:
    """Needles in haystacks: a fact hidden at each depth of texts of each length, made from DOCUMENTS."""
    grid = NeedleGrid(
        lengths=tuple(int(n) for n in _numbers(lengths, "--lengths")),
        depths=tuple(_numbers(depths, "--depths")),
        repeats=repeats,
        seed=seed,
    )
    _kept(drafting.needles(documents, grid, _needle(needle)), out, as_json=as_json)


def _model(by: dict[str, Any], most: int | None) -> tuple[Any, Any]:
    from evalwright.services.model_drafting import Limitation, read_model
    from evalwright.suites.quantities import budget

    try:
        caps = budget(by["budget"])
    except ValueError as error:
        raise UsageError(f"--budget: {error}") from None
    if caps.minutes is not None:
        raise UsageError("--budget: minutes are no cap here", hint="write `2 USD`, `100k tokens` or `50 calls`")
    client = read_model(by["model"], by["base_url"])
    click.echo(f"asking {client.options.model}, at most {by['budget']}", err=True)
    return client, Limitation(budget=caps, most=most)


def _needle(parts: dict[str, str | None]) -> Needle | None:
    given = {name: text for name, text in parts.items() if text}
    if not given:
        return None
    if len(given) < 3:
        raise UsageError(
            "a needle of your own has a fact, a question and an answer", hint="--fact, --question, --answer"
        )
    if given["answer"].lower() not in given["fact"].lower():
        raise UsageError("the answer does not stand in the fact", hint="the fact is hidden; the answer is looked for")
    return Needle(**given)


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UsageError(f"{option} is a list of numbers, not {text!r}", hint="like 500,2000") from None


def _kept(made: drafting.Made, out: Path, *, as_json: bool) -> None:
    new = drafting.keep(made.drafts, out)
    if as_json:
        told = {"file": str(out), "new": new, "kinds": made.kinds, "left_out": made.left_out, "drafts": made.drafts}
        click.echo(msgspec.json.encode({**told, "bad_rows": made.bad_rows, "asked": _spent(made)}).decode())
        return
    _tell_asked(made)
    kinds = ", ".join(f"{count} {kind}" for kind, count in made.kinds.items())
    click.echo(f"{new} new drafts in {out}" + (f" ({kinds} made)" if kinds else ""))
    if made.left_out:
        click.echo(f"{made.left_out} changes did not apply to a case", err=True)
    if made.bad_rows:
        first = made.bad_rows[0]
        click.echo(f"{len(made.bad_rows)} rows are no cases, the first in line {first.line}: {first.reason}", err=True)
    if new:
        click.echo(f"none is a case yet: read them (`evalwright draft list {out}`), then accept or reject each")


def _spent(made: drafting.Made) -> dict[str, Any] | None:
    """What asking a model took, without the drafts."""
    if made.asked is None:
        return None
    found: dict[str, Any] = msgspec.to_builtins(made.asked)
    del found["drafts"]
    return found


def _tell_asked(made: drafting.Made) -> None:
    asked = made.asked
    if asked is None:
        return
    cost = "" if asked.cost is None else f", {asked.cost:.4f} USD"
    click.echo(f"{asked.calls} calls, {asked.usage.total_tokens:,} tokens{cost}", err=True)
    for reason, count in asked.failed.most_common(5):
        click.echo(f"{count} replies could not be used: {reason}", err=True)
    for reason, count in asked.rejected.most_common(5):
        click.echo(f"{count} questions left out: {reason}", err=True)
    if asked.stopped:
        click.echo(f"stopped after {asked.asked} of {asked.tasks} requests: {asked.stopped}", err=True)


@draft.command("list")
@click.argument("file", type=_file)
@click.option("--state", type=click.Choice([state.value for state in DraftState]), help="Only these.")
@json_option
def list_(file: Path, state: str | None, *, as_json: bool) -> None:
    """Drafts in FILE with what they ask and expect."""
    found = [one for one in read_drafts(file) if state in (None, one.state.value)]
    if as_json:
        click.echo(msgspec.json.encode({"drafts": found}).decode())
        return
    from evalwright.reports.text import as_text, one_line

    for one in found:
        click.echo(f"{one.state.value:8}  {one_line(one.draft.id, 60)}  {_origin(one)}")
        click.echo(f"  asks:    {one_line(as_text(one.draft.input), 200)}")
        click.echo(f"  expects: {one_line(as_text(one.draft.expected), 200) or 'nothing'}{_relation(one)}")
    click.echo(f"{len(found)} drafts", err=True)


def _origin(one: Draft) -> str:
    from evalwright.reports.text import one_line

    origin = one.origin
    place = f"{origin.file}:{origin.line}" if origin.line else origin.file
    by = f"by {origin.model}" if origin.model else ""
    return one_line(
        " ".join(part for part in (origin.kind, place, f"of {origin.of}" if origin.of else "", by) if part), 160
    )


def _relation(one: Draft) -> str:
    if one.relation is None:
        return ""
    return f" ({'the same answer as' if one.relation is Relation.SAME else 'another answer than'} {one.origin.of})"


def _decision(state: DraftState) -> Any:
    @click.argument("file", type=_file)
    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @click.option("--kind", "kinds", multiple=True, help="All waiting drafts of this kind, e.g. `needle`.")
    @click.option("--by", metavar="NAME", help="Who decides; $EVALWRIGHT_AUTHOR or the user by default.")
    @click.option("--note", default="", help="Why.")
    def decide(file: Path, ids: tuple[str, ...], kinds: tuple[str, ...], by: str | None, note: str) -> None:
        if not ids and not kinds:
            raise UsageError("name drafts by id, or a --kind", hint=f"evalwright draft list {file}")
        waiting = [one for one in read_drafts(file) if one.state is DraftState.DRAFT and one.origin.kind in kinds]
        if kinds and not waiting:
            raise UsageError(f"no draft of the kind {', '.join(kinds)} waits in {file}")
        count = drafting.decide(
            file, [*ids, *(one.draft.id for one in waiting)], drafting.Verdict(state=state, by=by, note=note)
        )
        click.echo(f"{count} drafts {state.value}")

    return decide


draft.command("accept", help="Accept drafts of FILE by id, after reading them.")(_decision(DraftState.ACCEPTED))
draft.command("reject", help="Reject drafts of FILE by id.")(_decision(DraftState.REJECTED))


@draft.command()
@click.argument("file", type=_file)
@click.argument("out", type=_file)
def release(file: Path, out: Path) -> None:
    """Write the accepted drafts of FILE as cases to OUT, with origin and reviewer in their metadata."""
    count = drafting.release(file, out)
    click.echo(f"{count} cases in {out}; `evalwright dataset add NAME {out}` puts them into a golden set")
