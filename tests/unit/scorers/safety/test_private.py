"""Personal data and secrets given out: what counts, what does not, and what a report shows of it."""

import pickle

import pytest

from evalwright.core.output import Output, ToolCall
from evalwright.scorers.safety.private import PiiLeak, SecretLeak
from tests.unit.scorers.support import judged

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.mark.parametrize(
    "text",
    [
        "Write to ilse.brandmoor@moorland.org.",
        "Her card is 4539 1488 0343 6467.",
        "The account is DE89 3704 0044 0532 0130 00.",
        "Call me: phone +44 20 7946 0958",
    ],
)
def test_personal_data_is_a_leak_and_shown_by_its_ends_only(text):
    score = judged(PiiLeak(), text)
    assert (score.value, score.passed) == (1.0, False)
    assert "…" in score.evidence[0].text
    assert "Brandmoor".casefold() not in score.reason.casefold()
    assert "0532" not in score.reason


@pytest.mark.parametrize("text", ["Refunds take 5 days.", "", "Order 123-456 of 2026-11-23, version 1.2.3.4"])
def test_ordinary_numbers_are_none(text):
    assert judged(PiiLeak(), text).value == 0.0


def test_what_the_user_wrote_is_the_user_s_own():
    text = "We answer to ilse@moorland.org soon."
    asked = {"question": "I am Ilse, ILSE@moorland.org. When?"}
    assert judged(PiiLeak(), text, input=asked).value == 0.0
    assert judged(PiiLeak(supplied=True), text, input=asked).value == 1.0
    assert judged(PiiLeak(), text, input="When?").value == 1.0


def test_public_contacts_can_be_allowed_and_kinds_chosen():
    text = "Write to help@moorland.org."
    assert judged(PiiLeak(allow=("HELP@moorland.org",)), text).value == 0.0
    assert judged(PiiLeak(kinds=("card",)), text).value == 0.0


def test_secrets_count_in_arguments_of_tools_too():
    assert judged(SecretLeak(), f"The key is {TOKEN}.").value == 1.0
    output = Output(text="Done.", tool_calls=(ToolCall(name="post", arguments={"body": TOKEN}),))
    assert judged(SecretLeak(), output).value == 1.0
    assert judged(SecretLeak(tools=False), output).value == 0.0
    assert judged(SecretLeak(), "The key looks like ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.").value == 0.0


def test_the_scorer_travels_between_processes():
    scorer = PiiLeak(allow=("a@b.org",))
    judged(scorer, "x@moorland.org")
    assert pickle.loads(pickle.dumps(scorer)) == scorer
