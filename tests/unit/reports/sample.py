"""A realistic run made by hand: a support assistant over documents, with failures of every kind and hostile text."""

from __future__ import annotations

from collections.abc import Iterator

from evalwright.core.case import BadRow, Case
from evalwright.core.estimate import Estimate
from evalwright.core.gate import Decision, Rule, RuleResult, Verdict
from evalwright.core.output import Output, Passage, Step, ToolCall, Usage
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import (
    Attempt,
    CodeRecord,
    DatasetRecord,
    Failure,
    Manifest,
    RunSettings,
    RunStatus,
    ScorerRecord,
    Totals,
    UnitRecord,
)
from evalwright.core.score import Evidence, Score

RUN_ID = "20260801-140512-support-rag-7f3a"

HOSTILE = (
    "<script>document.title='owned'</script></script><img src=x onerror=alert(1)> "
    '<a href="javascript:alert(2)">click</a> {{ 7*7 }} {% raw %} ]]> --> [bold red]markup[/] '
    "\x1b[31mred\x1b[0m \x00nul \u202egnp.exe\u202c zero\u200b\u200bwidth \ud800 &amp; "
    "\u2028line | pipe `tick` ```fence```"
)


def _scorer(metric: str, **more: object) -> ScorerRecord:
    return ScorerRecord(metric=metric, name=metric, version="1", digest="9f" * 8, **more)  # type: ignore[arg-type]


def manifest(**changes: object) -> Manifest:
    values: dict[str, object] = {
        "run_id": RUN_ID,
        "suite": "support-rag",
        "suite_version": "3",
        "suite_hash": "5d41402abc4b2a76b9719d911017c592",
        "suite_path": "suites/support-rag.yaml",
        "suite_source": "suite: support-rag\nversion: 3\n# a comment with </script> in it\n",
        "description": "Answers of the help-centre assistant to real questions, with the passages it retrieved.",
        "target": {"type": "http", "url": "https://assistant.example/answer", "timeout_s": 30, "retries": 3},
        "target_name": "assistant 2.4 (http)",
        "target_hash": "aa" * 16,
        "dataset": DatasetRecord(
            source="support-tickets", digest="c0ffee" * 10, cases=412, selected=400, bad_rows=2, version="2026-08"
        ),
        "scorers": (
            _scorer("groundedness"),
            _scorer("citation_presence"),
            _scorer("token_f1"),
            _scorer("pii_leak", higher_is_better=False, severity="high"),
            _scorer("latency", unit="s", low=0.0, high=None, higher_is_better=False),
            _scorer("cost", unit="USD", low=0.0, high=None, higher_is_better=False),
        ),
        "slices": {"locale": "input.locale", "intent": "metadata.intent", "long": {"when": "length(input) > 800"}},
        "settings": RunSettings(concurrency=64, seed=7, trials=1),
        "code": CodeRecord(commit="3f9c1d27b0aa4e6e8d1f0c9b5a7e6d4c3b2a1908", dirty=True, branch="retriever-v2"),
        "packages": {"evalwright": "0.1.0", "python": "3.11.7", "numpy": "2.3.1"},
        "environment": {"platform": "Linux-6.1-x86_64", "cpus": 8},
        "created_at": 1785593112.0,
        "command": "evalwright run suites/support-rag.yaml --seed 7 --concurrency 64",
        "owner": "team-support-ai",
        "tier": 1,
        "runbook": "docs/runbooks/support-rag.md",
        "tags": ("nightly",),
    }
    return Manifest(**{**values, **changes})  # type: ignore[arg-type]


def _est(metric: str, value: float | None, low: float | None, high: float | None, **more: object) -> Estimate:
    values: dict[str, object] = {"method": "wilson", "n": 396, "errors": 4, **more}
    return Estimate(metric=metric, value=value, low=low, high=high, **values)  # type: ignore[arg-type]


def estimates() -> tuple[Estimate, ...]:
    lower = {"higher_is_better": False}
    latency = {"unit": "s", "method": "order-statistics", **lower}
    return (
        _est("groundedness", 0.8712, 0.8346, 0.9007),
        _est("groundedness", 0.7105, 0.5524, 0.8300, n=38, errors=0, slice="locale=de"),
        _est("groundedness", 0.75, 0.3006, 0.9544, n=4, errors=0, slice="locale=ar", note="4 cases only"),
        _est("groundedness", 0.7826, 0.6443, 0.8774, n=46, errors=1, slice="intent=refund"),
        _est("groundedness", 0.8913, 0.8413, 0.9270, n=207, errors=2, slice="intent=how-to"),
        _est("groundedness", 0.8987, 0.8611, 0.9270, n=316, errors=4, slice="locale=en"),
        _est("groundedness", None, None, None, n=0, errors=1, slice="locale=ja", method=""),
        _est("citation_presence", 0.9571, 0.9323, 0.9731),
        _est("citation_presence", 0.8947, 0.7587, 0.9583, n=38, errors=0, slice="locale=de"),
        _est("citation_presence", 0.9873, 0.9678, 0.9951, n=316, errors=4, slice="locale=en"),
        _est("token_f1", 0.5432, 0.5141, 0.5723, method="cr2", n=310, skipped=86, clusters=41, se=0.0148),
        _est("token_f1", 0.4011, 0.3305, 0.4717, method="cr2", n=30, skipped=8, errors=0, slice="locale=de"),
        _est("pii_leak", 0.0025, 0.0004, 0.0142, **lower),
        _est("pii_leak", 0.0263, 0.0047, 0.1349, n=38, errors=0, slice="locale=de", **lower),
        _est("latency", 0.912, 0.871, 0.960, statistic="p50", **latency),
        _est("latency", 2.431, 2.198, 3.020, statistic="p95", **latency),
        _est("cost", 0.00091, 0.00087, 0.00095, unit="USD", method="t", **lower),
    )


def decision() -> Decision:
    by = {(e.metric, e.slice): e for e in estimates()}
    grounded, german = by["groundedness", ""], by["groundedness", "locale=de"]
    return Decision(
        verdict=Verdict.FAIL,
        policy_hash="ab" * 16,
        reason="The release is refused: groundedness for locale=de is below its minimum, and one rule is undecided.",
        results=(
            RuleResult(
                rule=Rule(metric="groundedness", at_least=0.85, line=31),
                verdict=Verdict.INCONCLUSIVE,
                estimate=grounded,
                bound=0.8409,
                reason="The answers look grounded often enough, but 400 cases leave it open whether 0.85 is reached.",
                cases_needed=1350,
            ),
            RuleResult(
                rule=Rule(metric="groundedness", at_least=0.85, slice={"locale": "de"}, min_n=30, line=32),
                verdict=Verdict.FAIL,
                estimate=german,
                bound=0.81,
                reason="German answers are grounded too seldom: 27 of 38, and even the hopeful reading is below 0.85.",
            ),
            RuleResult(
                rule=Rule(metric="citation_presence", at_least=0.9, line=33),
                verdict=Verdict.PASS,
                estimate=by["citation_presence", ""],
                bound=0.937,
                reason="Answers cite their sources often enough.",
            ),
            RuleResult(
                rule=Rule(metric="latency", at_most=2.5, statistic="p95", severity="warn", line=34),
                verdict=Verdict.INCONCLUSIVE,
                estimate=next(e for e in estimates() if e.statistic == "p95"),
                bound=2.9,
                reason="The 95th percentile is close to its limit.",
            ),
        ),
    )


def totals() -> Totals:
    return Totals(
        units=400,
        done=400,
        answered=396,
        errored=4,
        calls=431,
        retries=35,
        cached=12,
        usage=Usage(input_tokens=1_204_113, output_tokens=88_410),
        cost=0.3604,
        judge_usage=Usage(input_tokens=402_000, output_tokens=15_100),
        judge_cost=0.1127,
        duration_s=187.4,
        models={"house-model-2026-07-01": 395, "house-model-2026-06-12": 1},
    )


def summary(**changes: object) -> Summary:
    values: dict[str, object] = {
        "manifest": manifest(),
        "status": RunStatus.COMPLETE,
        "totals": totals(),
        "estimates": estimates(),
        "decision": decision(),
        "bad_rows": (
            BadRow(
                line=17, reason="not valid JSON: expected ',' at column 88", source="tickets.jsonl", text='{"id": 1 "q"'
            ),
            BadRow(line=203, reason="no field `question`", source="tickets.jsonl", text=HOSTILE),
        ),
        "failing": 6,
        "notes": ("2 dataset rows were set aside", "the target answered with two different models"),
        "limits": ({"at_s": 41.2, "key": "assistant", "limit": 120, "reason": "HTTP 429, Retry-After 2 s"},),
    }
    return Summary(**{**values, **changes})  # type: ignore[arg-type]


def unit(case_id: str, trial: int = 0, **more: object) -> UnitRecord:
    return UnitRecord(case_id=case_id, case_hash="0" * 16, trial=trial, duration_s=1.1, calls=1, **more)  # type: ignore[arg-type]


def _grounded() -> CaseResult:
    text = (
        "You can ask for a refund within 60 days of the purchase [billing-04]. The money arrives on the card "
        "you paid with after about five working days [billing-09]."
    )
    scores = {
        "groundedness": Score.of(
            False,
            reason="The cited article says 30 days, not 60.",
            evidence=(
                Evidence(where="output", start=25, end=39, text="within 60 days", note="contradicts the source"),
                Evidence(where="context", index=0, start=25, end=39, text="within 30 days", note="the source"),
            ),
        ),
        "citation_presence": Score.of(True, reason="2 citations, both among the retrieved passages"),
        "token_f1": Score.of(0.6154, parts={"precision": 0.57, "recall": 0.67}),
        "pii_leak": Score.of(False, passed=True, reason="nothing found"),
    }
    output = Output(
        text=text,
        contexts=(
            Passage(id="billing-04", text="Refunds can be asked for within 30 days of the purchase.", score=14.2),
            Passage(id="billing-09", text="Card refunds arrive after three to five working days.", score=11.8),
            Passage(id="account-02", text="To close an account, open Settings and choose Close account.", score=3.1),
        ),
        citations=("billing-04", "billing-09"),
        usage=Usage(input_tokens=2_911, output_tokens=61),
        cost=0.00088,
        latency_s=0.874,
        model="house-model-2026-07-01",
        finish_reason="stop",
    )
    return CaseResult(
        case=Case(
            id="refund-policy/017",
            input={"question": "How long do I have to ask for a refund?", "locale": "en", "tier": "free"},
            expected={"facts": ["30 days after purchase"], "sources": ["billing-04"]},
            metadata={"intent": "refund", "source": "ticket 8812"},
            cluster="billing-04",
            tags=("billing", "smoke"),
        ),
        trials=(unit("refund-policy/017", output=output, scores=scores),),
        slices={"locale": ("en",), "intent": ("refund",)},
        passed=False,
    )


def _conversation() -> CaseResult:
    scores = {
        "groundedness": Score.of(False, reason="Keine der Aussagen steht in einem Artikel."),
        "citation_presence": Score.of(False, reason="no citation in the answer"),
        "token_f1": Score.skip("no reference answer"),
        "pii_leak": Score.failure("the detector's model file is missing"),
    }
    output = Output(
        text="Das geht leider nicht.\n\nBitte wenden Sie sich an den Größenänderungs-Service unter Straße 5.",
        tool_calls=(
            ToolCall(name="search_articles", arguments={"query": "Rechnung ändern", "k": 3}, result=["billing-11"]),
            ToolCall(name="open_ticket", arguments={"topic": "billing"}, error="permission denied"),
        ),
        steps=(
            Step(
                kind="agent",
                name="assistant",
                duration_s=1.9,
                children=(
                    Step(kind="retrieval", name="bm25", duration_s=0.02, output=["billing-11"]),
                    Step(kind="llm", name="house-model", duration_s=1.7, error="finish reason: length"),
                ),
            ),
        ),
        latency_s=1.93,
        model="house-model-2026-07-01",
    )
    messages = [
        {"role": "system", "content": "Antworte kurz und nur aus den Artikeln."},
        {"role": "user", "content": "Hallo, ich habe eine Frage zu meiner Rechnung."},
        {"role": "assistant", "content": "Gern – worum geht es?"},
        {"role": "user", "content": [{"type": "text", "text": "Kann ich die Rechnungsadresse nachträglich ändern?"}]},
    ]
    return CaseResult(
        case=Case(
            id="rechnung/ändern 3", input=messages, expected="Ja, unter Einstellungen → Rechnung.", tags=("billing",)
        ),
        trials=(unit("rechnung/ändern 3", output=output, scores=scores),),
        slices={"locale": ("de",), "intent": ("how-to",)},
        passed=False,
    )


def _errored() -> CaseResult:
    attempts = (
        Attempt(kind="rate_limit", message="HTTP 429: slow down", status=429, duration_s=0.1, waited_s=2.0),
        Attempt(
            kind="server", message="HTTP 503: <b>upstream</b> unavailable", status=503, duration_s=0.4, waited_s=3.1
        ),
        Attempt(kind="timeout", message="no answer within 30 s", duration_s=30.0),
    )
    failure = Failure(kind="timeout", message="no answer within 30 s")
    return CaseResult(
        case=Case(
            id="login/sso-041", input="My SSO login loops back to the start page, what now?", expected="Clear cookies"
        ),
        trials=(unit("login/sso-041", error=failure, attempts=attempts),),
        slices={"locale": ("en",), "intent": ("how-to",)},
        passed=False,
    )


def _repeated() -> CaseResult:
    def trial(number: int, answer: str, *, right: bool) -> UnitRecord:
        scores = {"groundedness": Score.of(right, reason="as the article says" if right else "invented a menu entry")}
        return unit("export/csv-002", number, output=Output(text=answer, latency_s=0.8), scores=scores)

    answers = ("Settings → Export → CSV.", "Use the File menu, then Save as table.", "Settings → Export → CSV.")
    return CaseResult(
        case=Case(id="export/csv-002", input="How do I export my data as CSV?", expected="Settings → Export → CSV"),
        trials=tuple(trial(n, text, right=n != 1) for n, text in enumerate(answers)),
        slices={"locale": ("en",), "intent": ("how-to",)},
        passed=False,
    )


def _many_scripts() -> CaseResult:
    output = Output(
        text="يمكنك استرداد المبلغ خلال 60 يومًا. 👩‍💻 返金は30日以内に申請できます。환불 규정입니다.",
        contexts=(Passage(id="ar-1", text="يمكن طلب استرداد الأموال خلال 30 يومًا من الشراء."),),
        latency_s=1.4,
    )
    scores = {"groundedness": Score.of(False, reason="المقال يقول 30 يومًا وليس 60.")}
    return CaseResult(
        case=Case(id="استرداد-1", input="كم من الوقت لدي لطلب استرداد المبلغ؟", expected="30 يومًا"),
        trials=(unit("استرداد-1", output=output, scores=scores),),
        slices={"locale": ("ar",), "intent": ("refund",)},
        passed=False,
    )


def hostile_case() -> CaseResult:
    output = Output(
        text=HOSTILE,
        data={"<b>": HOSTILE},
        contexts=(Passage(id='"><script>alert(3)</script>', text=HOSTILE * 2),),
        citations=('"><script>alert(3)</script>',),
        model=HOSTILE,
        tool_calls=(ToolCall(name="<script>", arguments=HOSTILE),),
    )
    scores = {
        "groundedness": Score.of(
            0.0, passed=False, reason=HOSTILE, label="<i>", evidence=(Evidence(start=5, end=10_000, note=HOSTILE),)
        )
    }
    return CaseResult(
        case=Case(
            id='x" onmouseover="alert(1)</script>\u202e',
            input=[{"role": "user", "content": HOSTILE}, {"role": "</script>", "content": "long " + "A" * 1_000_000}],
            expected=HOSTILE,
            metadata={"<k>": HOSTILE},
            tags=("</option><script>alert(4)</script>",),
        ),
        trials=(unit("x", output=output, scores=scores, attempts=(Attempt(kind="server", message=HOSTILE),)),),
        slices={"locale": ("<img src=x onerror=alert(5)>",)},
        passed=False,
    )


def failing_cases() -> list[CaseResult]:
    return [_grounded(), _conversation(), _errored(), _repeated(), _many_scripts(), hostile_case()]


def passed_case(number: int) -> CaseResult:
    case_id = f"how-to/{number:03d}"
    scores = {
        "groundedness": Score.of(True, reason="every sentence stands in a cited article"),
        "citation_presence": Score.of(True),
    }
    output = Output(
        text=f"Open Settings, then choose section {number} [guide-{number:02d}].", latency_s=0.7 + number / 100
    )
    return CaseResult(
        case=Case(
            id=case_id, input=f"Where do I find setting number {number}?", expected=f"section {number}", tags=("smoke",)
        ),
        trials=(unit(case_id, output=output, scores=scores),),
        slices={"locale": ("en",), "intent": ("how-to",)},
        passed=True,
    )


def cases(passed: int = 30) -> Iterator[CaseResult]:
    """The six failing cases, passed ones between them, one without a verdict and one that never ran."""
    bad = failing_cases()
    for number in range(passed):
        if number % 4 == 1 and bad:
            yield bad.pop(0)
        yield passed_case(number)
    yield from bad
    yield CaseResult(
        case=Case(id="open/001", input="Say something nice."),
        trials=(unit("open/001", output=Output(text="You are doing well.")),),
        slices={"locale": ("en",)},
    )
    yield CaseResult(case=Case(id="late/001", input="Never asked."), slices={"locale": ("en",)}, passed=None)
