"""A report of packs as files: JSON, Markdown and SARIF, redacted unless asked otherwise."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import msgspec

from evalwright.core.estimate import ALL, Estimate
from evalwright.packs.findings import redacted
from evalwright.packs.markdown import coverage_text, findings_text, matrix_text, rate, safe
from evalwright.packs.sarif import sarif
from evalwright.services.attack_page import attack_page
from evalwright.services.attacking import AttackReport
from evalwright.store.files import write_atomic

SURE = 0.05
"""Adjusted p-value below which a gap between people is told; all of them are in the JSON."""

FILES = {"html": "attack.html", "json": "attack.json", "markdown": "attack.md", "sarif": "attack.sarif"}


def for_reading(report: AttackReport, *, show_attacks: bool = False) -> AttackReport:
    """The report without working attacks and answers, unless they are asked for."""
    if show_attacks:
        return report
    return msgspec.structs.replace(report, findings=tuple(map(redacted, report.findings)))


def write_attack_files(
    report: AttackReport, suite: str, folder: Path, *, sarif_path: Path | None, show_attacks: bool
) -> dict[str, str]:
    """Write the report, without working attacks and answers unless they are asked for; format to path.

    Raises:
        DiskFull: No space is left.
    """
    report = for_reading(report, show_attacks=show_attacks)
    log = sarif(report.findings, suite=suite, version=version("evalwright"))
    contents = {
        "html": attack_page(report, redacted=not show_attacks).encode(),
        "json": msgspec.json.format(msgspec.json.encode(report), indent=2),
        "markdown": report_text(report).encode(),
        "sarif": msgspec.json.format(msgspec.json.encode(log), indent=2),
    }
    places = {name: folder / file for name, file in FILES.items()}
    if sarif_path is not None:
        places["sarif"] = sarif_path
    for name, content in contents.items():
        write_atomic(places[name], content)
    return {name: str(path) for name, path in places.items()}


def report_text(report: AttackReport) -> str:
    """The whole report as Markdown."""
    parts = [
        f"# Attack report: {safe(report.target)}",
        f"Run `{report.run_id}`. Packs: {_packs(report)}.",
        f"**{report.verdict.verdict.value.upper()}**",
        "\n".join(f"- {safe(reason)}" for reason in report.verdict.reasons),
        "## Figures",
        "\n".join(f"- {line}" for line in figure_lines(report)),
        "## Findings",
        findings_text(report.findings) or "None of the attacks succeeded.",
        "## Coverage",
        "OWASP LLM 2025 by MITRE ATLAS: successes of attempts that could be judged, a dot where nothing was tried.",
        matrix_text(report.matrix),
        coverage_text(report.coverage),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _packs(report: AttackReport) -> str:
    return ", ".join(" ".join((pack["pack"], pack["version"])) for pack in report.packs)


def figure_lines(report: AttackReport) -> list[str]:
    """The figures in a line each, with intervals."""
    counts = report.counts
    lines = [
        f"{counts.cases} attacks of {report.possible} possible, {counts.tries} tries: {counts.succeeded} succeeded, "
        f"{counts.tries - counts.succeeded - counts.invalid} resisted, {counts.invalid} invalid"
    ]
    lines += [f"invalid, {count}: {reason}" for reason, count in report.invalid[:5]]
    lines += [f"attack success{_where(e)}: {rate(e)}" for e in report.success if _shown(e)]
    for name, figure in (
        ("succeeds at least once in all tries", report.at_k),
        ("honest questions answered under attack", report.utility),
        ("harmless requests refused", report.over_refusal),
        ("requests answered that should be refused", report.under_refusal),
    ):
        lines += [f"{name}: {rate(figure)}"] if figure else []
    if report.regression:
        r = report.regression
        named = f": {', '.join(r.cases[:5])}" if r.cases else ""
        lines.append(f"critical attacks resisted in the run compared with, {r.pairs}: {r.count} succeed now{named}")
    if report.judge:
        j = report.judge
        lines.append(
            f"decided by the judge {j.model} (prompt {j.prompt_hash}): {j.decided}, no verdict (invalid): {j.failed}; "
            f"{j.card}"
        )
    if report.carriers:
        lines.append(f"own documents: {report.carriers}")
    if report.pairs:
        p = report.pairs
        lines.append(
            f"same question from different people: {p.refusal_flips} of {p.pairs} pairs differ in refusing, "
            f"{p.different} in what they say"
        )
        lines += [
            f"answers to {gap.group}: {gap.length:+.0f} characters, refused {gap.refusals:+.0%} against the others, "
            f"{gap.questions} questions, adjusted p = {gap.p_value:.3g}"
            for gap in p.gaps
            if gap.p_value < SURE
        ]
    return lines


def _shown(estimate: Estimate) -> bool:
    """All attacks, each severity and class, and the disguises that worked; every slice is in the JSON."""
    name = estimate.slice.partition("=")[0]
    return estimate.slice == ALL or name in {"severity", "class"} or (name == "transform" and bool(estimate.value))


def _where(estimate: Estimate) -> str:
    return f", {estimate.slice.replace('=', ' ')}" if estimate.slice else ""
