"""`evalwright redact`: personal data and secrets out of a file."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from evalwright.cli.options import json_option, names_option
from evalwright.core.errors import UsageError
from evalwright.datasets.redaction import Report
from evalwright.detect import KINDS
from evalwright.services.redacting import (
    RedactPlan,
    key_from_environment,
    redact_file,
    restore_file,
    write_vault,
)

EPILOG = """\b
Examples:
  evalwright redact tickets.jsonl --output clean.jsonl
  evalwright redact chat.txt --output clean.txt --allow hotline@acme.io
  evalwright redact tickets.jsonl --output clean.jsonl --vault /safe/originals.json
  evalwright redact clean.jsonl --output back.jsonl --restore /safe/originals.json

The same text gets the same stand-in, [EMAIL-3F9A2C1D0B7E], in every file that
is redacted with the same key ($EVALWRIGHT_REDACTION_KEY, at least 16 characters)."""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this; all kinds by default.")
@click.option("--allow", multiple=True, metavar="TEXT", help="A text that stays: a public hotline, your own address.")
@click.option(
    "--vault", type=click.Path(path_type=Path, dir_okay=False), help="Keep the originals here, for --restore."
)
@click.option("--restore", "originals", type=click.Path(path_type=Path), help="Put the originals of this vault back.")
@names_option
@json_option
def redact(
    file: Path,
    output: Path | None,
    kinds: tuple[str, ...],
    allow: tuple[str, ...],
    vault: Path | None,
    originals: Path | None,
    names: str,
    *,
    as_json: bool,
) -> None:
    """Write a copy of FILE without personal data and secrets.

    Looked for are e-mail addresses, telephone and card numbers, IBANs, national ids, IP addresses, credentials in URLs,
    and secrets (tokens, private keys, passwords); names and postal addresses where --names says who finds them.

    Without --output it is only said what is in FILE. What may be personal but is not sure stays, and is listed.
    """
    if originals is not None:
        _restore(file, output, originals)
        return
    key = key_from_environment()
    plan = RedactPlan(key=key, kinds=kinds or KINDS, allow=allow, keep=vault is not None, names=names)
    redactor = plan.redactor()
    report = redact_file(file, output, redactor)
    if vault is not None and output is not None:
        write_vault(vault, redactor)
    _print(report, output, as_json=as_json)
    if key is None and output is not None and not as_json:
        click.echo(
            "note: a key was made for this file only; set $EVALWRIGHT_REDACTION_KEY to use one for several", err=True
        )


def _restore(file: Path, output: Path | None, originals: Path) -> None:
    if output is None:
        raise UsageError("--restore needs --output")
    restore_file(file, output, originals)
    click.echo(f"wrote {output}")


def _print(report: Report, output: Path | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    verb = "replaced" if output is not None else "found"
    for kind, count in sorted(report.replaced.items()):
        click.echo(f"{verb} {count:,} {kind.replace('_', ' ')} ({report.distinct.get(kind, 0):,} different)")
    if not report.replaced:
        click.echo(f"nothing {verb} in {report.texts:,} texts")
    for left in report.leftovers[:20]:
        click.echo(f"left for a person: {left.place}, character {left.start + 1}: perhaps {left.kind} {left.shown}")
    if report.left > 20:
        click.echo(f"and {report.left - 20:,} more; --json lists them")
    if output is not None:
        click.echo(f"wrote {output}")
