"""The run as JUnit XML: one test case per case with the real reasons, the gate's rules as a second suite.

A failed row verdict is a `<failure>`, an answer that never came or a scorer that broke an `<error>`; a case without a
row verdict, or one the run did not reach, is `<skipped>`. Rules that only warn never fail.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO
from xml.sax.saxutils import escape, quoteattr

import msgspec

from evalwright.core.gate import RuleResult, Verdict
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import Manifest
from evalwright.reports import caseview, figures
from evalwright.reports.caseview import CaseStatus, Reason
from evalwright.reports.options import ReportOptions
from evalwright.reports.text import as_text, cut, one_line, visible, xml_text

_MAX_BODY = 6_000
_SKIPPED = {CaseStatus.UNJUDGED: "no scorer gives a row verdict", CaseStatus.ABSENT: "the run stopped before this case"}


class Tally(msgspec.Struct):
    """Counts of a test suite; `time` in seconds."""

    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    time: float = 0.0


def write(stream: IO[str], summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> None:
    """Write the report to a text stream (UTF-8). Cases are written as they come; memory stays flat.

    Raises:
        OSError: The stream or the temporary file can't be written.
    """
    with tempfile.SpooledTemporaryFile(max_size=4_000_000, mode="w+", encoding="utf-8", newline="") as body:
        tally = Tally()
        for result in cases:
            body.writelines(_case(result, summary.manifest, options, tally))
        gate = Tally()
        rules = "".join(_rule(result, summary.manifest, options, gate) for result in _results(summary))
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        stream.write(f"<testsuites{_attributes(name=summary.manifest.suite, **_counts(_sum(tally, gate)))}>\n")
        stream.write(_suite_head(summary, tally))
        body.seek(0)
        shutil.copyfileobj(body, stream, 1 << 16)
        stream.write("</testsuite>\n")
        if gate.tests:
            name = f"{summary.manifest.suite} gate"
            stream.write(f"<testsuite{_attributes(name=name, **_counts(gate))}>\n{rules}</testsuite>\n")
        stream.write("</testsuites>\n")


def _results(summary: Summary) -> tuple[RuleResult, ...]:
    return summary.decision.results if summary.decision else ()


def _sum(one: Tally, two: Tally) -> Tally:
    return Tally(
        tests=one.tests + two.tests,
        failures=one.failures + two.failures,
        errors=one.errors + two.errors,
        skipped=one.skipped + two.skipped,
        time=one.time + two.time,
    )


def _counts(tally: Tally) -> dict[str, str]:
    counts = {"tests": tally.tests, "failures": tally.failures, "errors": tally.errors, "skipped": tally.skipped}
    return {**{name: str(count) for name, count in counts.items()}, "time": f"{tally.time:.3f}"}


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(xml_text(visible(value)))}" for name, value in values.items())


def _text(text: str) -> str:
    return escape(xml_text(visible(text)))


def _suite_head(summary: Summary, tally: Tally) -> str:
    manifest = summary.manifest
    more = {}
    if manifest.created_at:
        more["timestamp"] = dt.datetime.fromtimestamp(manifest.created_at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    lines = [f"<testsuite{_attributes(name=manifest.suite, **_counts(tally), **more)}>", "<properties>"]
    lines += [f"<property{_attributes(name=name, value=value)}/>" for name, value in _properties(summary)]
    return "\n".join([*lines, "</properties>", ""])


def _properties(summary: Summary) -> Iterator[tuple[str, str]]:
    manifest = summary.manifest
    yield from (("run_id", manifest.run_id), ("target", manifest.target_name), ("status", str(summary.status)))
    if summary.decision is not None:
        yield ("decision", str(summary.decision.verdict))
    if manifest.dataset is not None:
        yield ("dataset", f"{manifest.dataset.source} {manifest.dataset.digest}")
    if manifest.code.commit:
        yield ("commit", manifest.code.commit + (" with changes" if manifest.code.dirty else ""))
    for row in figures.overall(summary.estimates):
        yield (
            f"metric.{figures.name_of(row)}",
            f"{figures.number(row.value, row.unit)} {figures.interval(row)} n={row.n}",
        )


def _case(result: CaseResult, manifest: Manifest, options: ReportOptions, tally: Tally) -> Iterator[str]:
    status = caseview.status_of(result)
    seconds = sum(unit.duration_s for unit in result.trials)
    tally.tests += 1
    tally.time += seconds
    where = {"classname": manifest.suite, "name": result.case.id, "time": f"{seconds:.3f}"}
    yield f"<testcase{_attributes(**where, **_file(manifest, options))}>"
    if status in _SKIPPED:
        tally.skipped += 1
        yield f"<skipped{_attributes(message=_SKIPPED[status])}/>"
    elif caseview.needs_attention(status):
        failed = status is CaseStatus.FAIL
        tally.failures += failed
        tally.errors += not failed
        yield _problem("failure" if failed else "error", caseview.reasons_of(result), _evidence(result))
    yield "</testcase>\n"


def _file(manifest: Manifest, options: ReportOptions, line: int = 0) -> dict[str, str]:
    if not options.junit_files or manifest.suite_path is None:
        return {}
    return {"file": manifest.suite_path, **({"line": str(line)} if line else {})}


def _problem(tag: str, reasons: list[Reason], evidence: str) -> str:
    kinds = ",".join(dict.fromkeys(reason.metric for reason in reasons))
    message = one_line("; ".join(f"{reason.metric}: {reason.text}" for reason in reasons), 400)
    lines = "\n".join(f"{reason.metric} (trial {reason.trial + 1}): {reason.text}" for reason in reasons)
    body = _text(f"{lines}\n\n{evidence}")
    return f"<{tag}{_attributes(message=message, type=kinds)}>{body}</{tag}>"


def _evidence(result: CaseResult) -> str:
    parts = [("Input", as_text(result.case.input)), ("Expected", as_text(result.case.expected))]
    parts += [
        (f"Output of trial {unit.trial + 1}", unit.output.text) for unit in result.trials if unit.output is not None
    ]
    return "\n\n".join(f"{name}:\n{_shortened(text)}" for name, text in parts if text)


def _shortened(text: str) -> str:
    shown, left = cut(text, _MAX_BODY)
    return f"{shown}\n… {left:,} more characters" if left else shown


def _rule(result: RuleResult, manifest: Manifest, options: ReportOptions, tally: Tally) -> str:
    rule, estimate = result.rule, result.estimate
    words = rule.name or figures.rule_words(rule, estimate.unit if estimate else "")
    figure = ""
    if estimate is not None:
        figure = (
            f"measured {figures.number(estimate.value, estimate.unit)} {figures.interval(estimate)}, n={estimate.n:,}"
        )
    place = {"classname": f"{manifest.suite} gate", "name": words, **_file(manifest, options, rule.line)}
    tally.tests += 1
    if result.verdict is not Verdict.PASS and rule.severity == "block" and result.waived is None:
        tally.failures += 1
        message = one_line(f"{result.verdict}: {result.reason or words}", 400)
        head = f"<failure{_attributes(message=message, type=str(result.verdict))}>"
        body = f"{head}{_text(_lines(result.reason, figure))}</failure>"
    else:
        word = f"{result.verdict}{' (warns only)' if rule.severity != 'block' else ''}"
        body = f"<system-out>{_text(_lines(f'{word}: {result.reason}', figure))}</system-out>"
    return f"<testcase{_attributes(**place)}>{body}</testcase>\n"


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
