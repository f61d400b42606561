"""What is wrong with a set of cases: doubles, contradictions, leaks, gaps, age, and cases that tell nothing."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from evalwright.core.case import Json
from evalwright.core.identity import canonical_json
from evalwright.datasets import minhash
from evalwright.datasets.sampling import strata_of
from evalwright.store.cases import CaseFile

SHOWN = 20
MAX_OWN = 20_000
APART = 0.15
"""How much more alike than the set's own texts are a text of another set must be to count as leaked."""
DAY_S = 86_400.0


class HealthFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look at.

    Attributes:
        kind: `exact_duplicates`, `near_duplicates`, `contradictions`, `leakage`, `coverage`, `freshness`,
            `no_expectation`, `saturated`, `never_passing`, `noisy` or `long`.
        count: Cases or pairs concerned.
        message: What was found.
        action: What to do.
        cases: Ids of the first twenty; pairs as `a ~ b (0.93)`.
    """

    kind: str
    count: int
    message: str
    action: str
    cases: tuple[str, ...] = ()


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A set's condition.

    Attributes:
        cases: How many there are.
        findings: What to look at.
        lengths: Characters of the inputs: median, 95th percentile, longest.
        languages: Languages of a sample of at most 2,000 inputs, most frequent first.
        strata: Cases of each stratum asked for.
    """

    cases: int
    findings: tuple[HealthFinding, ...] = ()
    lengths: dict[str, float] = {}
    languages: dict[str, int] = {}
    strata: dict[str, int] = {}


class HealthQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for beside the cases themselves.

    Attributes:
        strata: Paths whose values each need enough cases.
        min_n: How many are enough.
        made_at: When the version was made, seconds since the epoch; None when unknown.
        cadence_days: How often the set should be refreshed; None when nobody said.
        now: Seconds since the epoch.
        near: Jaccard similarity of five-character runs from which two inputs count as nearly the same.
        leak: The same for a case and one of another set; lower, for a leak is worth a second look.
    """

    strata: tuple[str, ...] = ()
    min_n: int = 30
    made_at: float | None = None
    cadence_days: int | None = None
    now: float = 0.0
    near: float = 0.8
    leak: float = 0.5


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """How a case did in past runs: runs passed and failed; and whether one system both passed and failed it."""

    passed: int = 0
    failed: int = 0
    both: bool = False


def examine(
    cases: CaseFile,
    question: HealthQuestion,
    *,
    others: Mapping[str, CaseFile] | None = None,
    outcomes: Mapping[str, Outcomes] | None = None,
) -> Health:
    """Look a set over. Memory: about 300 bytes a case.

    Args:
        cases: The set.
        question: What to look for.
        others: Other sets (or a corpus) by name, whose texts should not be in this one.
        outcomes: By case hash, how the case did in past runs.
    """
    texts = _Texts(cases)
    made = minhash.signatures(texts.all(), len(cases))
    findings = [*_duplicates(cases, texts), *_near(cases, texts, made, question.near)]
    for name, other in (others or {}).items():
        findings += _leaks(cases, (texts, made), name, other, question)
    strata = {name: len(rows) for name, rows in strata_of(cases, question.strata).items()} if question.strata else {}
    findings += [*_expectations(cases), *_coverage(strata, question), *_freshness(question)]
    findings += [*_lengths_finding(cases, texts.lengths), *_past(cases, outcomes or {})]
    return Health(
        cases=len(cases),
        findings=tuple(findings),
        lengths=_profile(texts.lengths),
        languages=_languages(cases),
        strata=strata,
    )


def input_text(value: Json) -> str:
    """The text of an input: what the messages say, or the values of an object, without keys and system prompts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [m for m in value if not (isinstance(m, dict) and m.get("role") == "system")]
        return "\n".join(input_text(m.get("content") if isinstance(m, dict) and "content" in m else m) for m in parts)
    if isinstance(value, dict):
        return "\n".join(input_text(item) for item in value.values())
    return "" if value is None else str(value)


class _Texts:
    """Normal texts of the inputs, read again when they are needed; hashes and lengths of all."""

    def __init__(self, cases: CaseFile) -> None:
        self._cases = cases
        self.hashes = np.zeros(len(cases), dtype=np.uint64)
        self.lengths = np.zeros(len(cases), dtype=np.int64)

    def __call__(self, index: int) -> str:
        return minhash.normal_text(input_text(self._cases[index].input))

    def all(self) -> Iterable[str]:
        """Every text in order, noting hash and length."""
        for index, case in enumerate(self._cases):
            whole = input_text(case.input)
            text = minhash.normal_text(whole)
            digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
            self.hashes[index] = int.from_bytes(digest, "little")
            self.lengths[index] = len(whole)
            yield text


def _duplicates(cases: CaseFile, texts: _Texts) -> list[HealthFinding]:
    """Inputs that are the same but for case, spaces and punctuation; with the same expectation or another one."""
    same: list[str] = []
    against: list[str] = []
    for group in _groups(texts.hashes):
        members = [cases[index] for index in group]
        wanted = {canonical_json(case.expected) for case in members if case.expected is not None}
        (against if len(wanted) > 1 else same).append(" = ".join(case.id for case in members[:5]))
    found = []
    if same:
        message = f"{len(same):,} inputs stand more than once"
        action = "keep one of each, or give them the same `cluster`"
        found.append(_finding("exact_duplicates", same, message, action))
    if against:
        message = f"{len(against):,} inputs stand more than once with different expectations"
        found.append(_finding("contradictions", against, message, "decide which is right; both can't be met"))
    return found


def _groups(hashes: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> list[list[int]]:
    order = np.argsort(hashes, kind="stable")
    edges = np.flatnonzero(np.diff(hashes[order])) + 1
    return [[int(n) for n in group] for group in np.split(order, edges) if len(group) > 1]


def _near(cases: CaseFile, texts: _Texts, made: minhash.Signatures, bound: float) -> list[HealthFinding]:
    pairs = [
        f"{cases[one].id} ~ {cases[two].id} ({share:.2f})"
        for one, two, share in minhash.near_pairs(texts, made, at_least=bound)
        if texts.hashes[one] != texts.hashes[two]
    ]
    if not pairs:
        return []
    message = f"{len(pairs):,} pairs of inputs are nearly the same"
    return [_finding("near_duplicates", pairs, message, "drop one of each pair, or give both the same `cluster`")]


class _Alike:
    """How alike a case is to the most similar other case of its set that is no double of it.

    Texts from one template are no leaks of one another. At most 20,000 cases are looked at.
    """

    def __init__(self, made: minhash.Signatures, near: float) -> None:
        step = max(1, len(made) // MAX_OWN)
        self._some = made[::step]
        self._made = made
        self._near = near
        self._known: dict[int, float] = {}

    def __call__(self, index: int) -> float:
        if index not in self._known:
            shares = (self._some == self._made[index]).mean(axis=1)
            self._known[index] = float(shares[shares < self._near].max(initial=0.0))
        return self._known[index]


def _leaks(
    cases: CaseFile, ours: tuple[_Texts, minhash.Signatures], name: str, other: CaseFile, question: HealthQuestion
) -> list[HealthFinding]:
    """Texts that are much alike, and more so than the set's own texts are among themselves."""
    theirs = _Texts(other)
    other_made = minhash.signatures(theirs.all(), len(other))
    found = minhash.near_pairs(ours[0], ours[1], other=theirs, other_made=other_made, at_least=question.leak)
    alike = _Alike(ours[1], question.near)
    pairs = [
        f"{cases[one].id} ~ {other[two].id} ({share:.2f})"
        for one, two, share in found
        if share >= question.near or share > alike(one) + APART
    ]
    if not pairs:
        return []
    message = f"{len({p.partition(' ~ ')[0] for p in pairs}):,} cases are also in {name}, word for word or much alike"
    return [_finding("leakage", pairs, message, "take them out of one of the two, or report them on their own")]


def _expectations(cases: CaseFile) -> list[HealthFinding]:
    without = [case.id for case in cases if case.expected is None and "checks" not in case.metadata]
    if not without or len(without) == len(cases):
        return []
    message = f"{len(without):,} of {len(cases):,} cases say nothing of what is right"
    return [_finding("no_expectation", without, message, "add `expected`; scorers that need it pass over these cases")]


def _coverage(strata: Mapping[str, int], question: HealthQuestion) -> list[HealthFinding]:
    small = [f"{name} ({count})" for name, count in strata.items() if count < question.min_n]
    if not small:
        return []
    message = f"{len(small):,} of {len(strata):,} strata have fewer than {question.min_n} cases"
    return [_finding("coverage", small, message, "add cases there: too few can't decide a gate")]


def _freshness(question: HealthQuestion) -> list[HealthFinding]:
    if question.made_at is None or question.cadence_days is None:
        return []
    days = (question.now - question.made_at) / DAY_S
    if days <= question.cadence_days:
        return []
    message = f"the version is {days:,.0f} days old; it should be refreshed every {question.cadence_days} days"
    return [_finding("freshness", ["age"], message, "add recent cases, or confirm the set by a new version")]


def _lengths_finding(
    cases: CaseFile, lengths: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[HealthFinding]:
    given = np.asarray(lengths)
    empty = [cases[int(n)].id for n in np.flatnonzero(given == 0)[:1_000]]
    if not empty:
        return []
    message = f"{int((given == 0).sum()):,} inputs hold no text"
    return [_finding("empty", empty, message, "look at them: there may be nothing to answer")]


def _past(cases: CaseFile, outcomes: Mapping[str, Outcomes]) -> list[HealthFinding]:
    """Cases that tell systems apart no more."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for index in range(len(cases)) if outcomes else ():
        seen = outcomes.get(cases.case_hash(index))
        if seen is None or seen.passed + seen.failed < 3:
            continue
        kind = "noisy" if seen.both else "saturated" if not seen.failed else "never_passing" if not seen.passed else ""
        if kind:
            found[kind].append(cases[index].id)
    words = {
        "saturated": ("passed in every run", "move them to a smoke set, and add harder ones"),
        "never_passing": ("failed in every run", "look whether the expectation is wrong before blaming the system"),
        "noisy": ("passed and failed with the same system and scorers", "run several trials, or make the check firmer"),
    }
    return [
        _finding(k, ids, f"{len(ids):,} cases {words[k][0]} of at least three", words[k][1]) for k, ids in found.items()
    ]


def _finding(kind: str, cases: Sequence[str], message: str, action: str) -> HealthFinding:
    return HealthFinding(kind=kind, count=len(cases), message=message, action=action, cases=tuple(cases[:SHOWN]))


def _profile(lengths: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, float]:
    if not len(lengths):
        return {}
    median, high = np.percentile(lengths, [50, 95])
    return {"median": float(median), "p95": float(high), "longest": float(lengths.max())}


def _languages(cases: CaseFile) -> dict[str, int]:
    import py3langid

    step = max(1, len(cases) // 2_000)
    found: Counter[str] = Counter()
    for index in range(0, len(cases), step):
        text = input_text(cases[index].input)[:1_000]
        found[str(py3langid.classify(text)[0]) if len(text) >= 20 else "too short to tell"] += 1
    return dict(found.most_common(20))


def as_lines(health: Health) -> list[str]:
    """A report for people."""
    lines = [f"{health.cases:,} cases"]
    if health.lengths:
        lines[0] += (
            f"; inputs of {health.lengths['median']:,.0f} characters (median), longest {health.lengths['longest']:,.0f}"
        )
    if health.languages:
        lines.append("languages: " + ", ".join(f"{name} {count}" for name, count in list(health.languages.items())[:8]))
    for finding in health.findings:
        lines += [f"{finding.kind}: {finding.message}", f"  {'; '.join(finding.cases[:5])}", f"  {finding.action}"]
    return lines if health.findings else [*lines, "nothing to look at"]


__all__ = ["Health", "HealthFinding", "HealthQuestion", "Outcomes", "as_lines", "examine", "input_text"]
