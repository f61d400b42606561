"""The records: what they refuse, how they read, what identifies them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.core.errors import ConfigError, MissingExtra, Problem
from evalwright.core.estimate import Estimate
from evalwright.core.extras import optional
from evalwright.core.identity import canonical_json, case_hash, content_hash, content_id, derived_seed, unit_key
from evalwright.core.output import Output, Usage
from evalwright.core.run import UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import ScoreContext, ScoreKind, as_score, scorer
from evalwright.core.target import public_metadata

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_content_hash_does_not_depend_on_the_order_of_keys(value):
    backwards = dict(reversed(list(value.items())))
    assert content_hash(value) == content_hash(backwards)


@given(json_values)
def test_canonical_json_reads_back(value):
    assert msgspec.json.decode(canonical_json(value)) == value


def test_a_changed_expectation_is_a_changed_case():
    case = Case(id="a", input="q", expected="x")
    assert case_hash(case) != case_hash(msgspec.structs.replace(case, expected="y"))


def test_ids_come_from_content_never_from_position():
    assert content_id({"q": 1}) == content_id({"q": 1})
    assert content_id("a") != content_id("b")


def test_seeds_and_keys_differ_by_case_and_trial():
    assert derived_seed(0, "a", 0) == derived_seed(0, "a", 0)
    assert len({derived_seed(s, c, t) for s in (0, 1) for c in "ab" for t in (0, 1)}) == 8
    assert unit_key("c", 0, "t") != unit_key("c", 1, "t")


def test_a_target_sees_only_public_metadata():
    case = Case(id="a", input="q", expected="secret", metadata={"locale": "de", "label": "spam"})
    assert public_metadata(case, frozenset({"locale", "absent"})) == {"locale": "de"}
    assert public_metadata(case, frozenset()) == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_score_refuses_what_is_not_a_finite_number(value):
    with pytest.raises(ValueError, match="finite"):
        Score.of(value)


def test_a_bool_is_its_own_row_verdict_and_a_number_is_not():
    assert (Score.of(True).value, Score.of(True).passed) == (1.0, True)
    assert (Score.of(0.5).value, Score.of(0.5).passed) == (0.5, None)


def test_skips_and_failures_have_no_value():
    assert Score.skip("no field").value is None
    assert Score.failure("broke").status is ScoreStatus.ERROR


def test_the_decorator_makes_a_scorer_of_a_function():
    @scorer("short", version="2")
    def short(ctx):
        """Short answers pass."""
        return len(ctx.output.text) < 10

    context = ScoreContext(case=Case(id="a", input="q"), output=Output(text="hello"))
    assert short.score(context) == Score.of(True)
    assert (short.info.name, short.info.version, short.info.kind) == ("short", "2", ScoreKind.MEAN)
    assert "len(ctx.output.text)" in short.describe()["source"]


async def test_an_async_function_is_awaited():
    @scorer("later")
    async def later(ctx):
        return 0.5

    assert await later.score(ScoreContext(case=Case(id="a", input="q"), output=Output())) == Score.of(0.5)


def test_a_wrong_return_type_is_named():
    with pytest.raises(TypeError, match="not str"):
        as_score("yes")


def test_usage_adds_up():
    total = Usage(input_tokens=2, output_tokens=3) + Usage(input_tokens=5, cached_tokens=1, estimated=True)
    assert total == Usage(input_tokens=7, output_tokens=3, cached_tokens=1, estimated=True)
    assert total.total_tokens == 10


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_a_unit_record_survives_its_journal_line(text, value):
    record = UnitRecord(case_id="a", case_hash="h", output=Output(text=text), scores={"m": Score.of(value)})
    assert msgspec.json.decode(msgspec.json.encode(record), type=UnitRecord) == record


def test_an_estimate_shows_its_interval():
    estimate = Estimate(metric="exact", value=1.0, low=0.3424, high=1.0, method="wilson", n=2)
    assert repr(estimate) == (
        "Estimate(value=1, ci=(0.3424, 1), level=0.95, method='wilson', n=2, skipped=0, errors=0)"
    )
    assert Estimate(metric="exact", value=None).ci is None


def test_problems_are_reported_together_with_place_and_remedy():
    error = ConfigError(
        [
            Problem(message="unknown scorer `exakt`", file="s.yaml", line=3, column=5, hint="did you mean `exact`?"),
            Problem(message="no dataset", file="s.yaml"),
        ]
    )
    assert str(error) == (
        "error: unknown scorer `exakt`\n  --> s.yaml:3:5\nhint: did you mean `exact`?\n\n"
        "error: no dataset\n  --> s.yaml"
    )


def test_a_missing_extra_says_what_to_install():
    with pytest.raises(MissingExtra, match=r'pip install "evalwright\[text\]"'):
        optional("a_package_nobody_has", extra="text")
