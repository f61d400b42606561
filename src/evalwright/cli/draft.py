"""`evalwright draft`: cases made by templates, kept apart until a person accepts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import json_option
from evalwright.core.errors import UsageError
from evalwright.datasets.drafting import TEMPLATE_KINDS, Draft, DraftState, Needle, NeedleGrid, Relation, read_drafts
from evalwright.services import drafting

EPILOG = """\b
Examples:
  evalwright draft from-docs handbook/ --most 50
  evalwright draft from-cases cases.jsonl --kind typos --kind numbers
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


@click.group(epilog=EPILOG)
def draft() -> None:
    """Make drafts of cases without a model; none becomes a case before a person accepts it."""


@draft.command("from-docs")
@click.argument("documents", type=_place)
@click.option("--most", type=click.IntRange(1), help="Most drafts: a sample of all templates alike.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(TEMPLATE_KINDS), help="Only this template.")
@seed_option
@out_option
@json_option
def from_docs(
    documents: Path, kinds: tuple[str, ...], most: int | None, seed: int, out: Path, *, as_json: bool
) -> None:
    """Questions with expected facts and source from DOCUMENTS (Markdown, reStructuredText, text)."""
    _kept(drafting.from_documents(documents, most=most, seed=seed, kinds=kinds), out, as_json=as_json)


@draft.command("from-cases")
@click.argument("file", type=_file)
@click.option("--kind", "kinds", multiple=True, default=("perturb",), show_default=True, metavar="NAME", help="Change.")
@click.option("--field", metavar="NAME", help="Field of the input that is changed.")
@seed_option
@out_option
@json_option
def from_cases(file: Path, kinds: tuple[str, ...], field: str | None, seed: int, out: Path, *, as_json: bool) -> None:
    """Changed copies of the cases in FILE that must get the same answer, or another one.

    Kinds: typos, case, whitespace, punctuation, filler, accents (the same answer), numbers, negation (another one), and
    perturb for all of them.
    """
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
        click.echo(msgspec.json.encode({**told, "bad_rows": made.bad_rows}).decode())
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in made.kinds.items())
    click.echo(f"{new} new drafts in {out}" + (f" ({kinds} made)" if kinds else ""))
    if made.left_out:
        click.echo(f"{made.left_out} changes did not apply to a case", err=True)
    if made.bad_rows:
        first = made.bad_rows[0]
        click.echo(f"{len(made.bad_rows)} rows are no cases, the first in line {first.line}: {first.reason}", err=True)
    if new:
        click.echo(f"none is a case yet: read them (`evalwright draft list {out}`), then accept or reject each")


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
    return one_line(
        " ".join(part for part in (origin.kind, place, f"of {origin.of}" if origin.of else "") if part), 160
    )


def _relation(one: Draft) -> str:
    if one.relation is None:
        return ""
    return f" ({'the same answer as' if one.relation is Relation.SAME else 'another answer than'} {one.origin.of})"


def _decision(state: DraftState) -> Any:
    @click.argument("file", type=_file)
    @click.argument("ids", nargs=-1, required=True, metavar="ID...")
    @click.option("--by", metavar="NAME", help="Who decides; $EVALWRIGHT_AUTHOR or the user by default.")
    @click.option("--note", default="", help="Why.")
    def decide(file: Path, ids: tuple[str, ...], by: str | None, note: str) -> None:
        count = drafting.decide(file, ids, drafting.Verdict(state=state, by=by, note=note))
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
