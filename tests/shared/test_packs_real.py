"""Public sets of attacks, imported and run against scripted systems."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from evalwright.core.case import Case
from evalwright.core.component import BindContext
from evalwright.core.errors import UsageError
from evalwright.core.output import Output
from evalwright.core.scorer import ScoreContext
from evalwright.packs.importers import imported
from evalwright.packs.victims import REFUSAL, echoing, obedient
from evalwright.packs.wording import fill_for
from evalwright.scorers.refusal.scorers import RefusalCorrectness
from evalwright.scorers.safety.judged import JudgedAttack
from evalwright.scorers.safety.markers import find_markers
from evalwright.scorers.safety.scorers import AttackSuccess
from tests.shared_data import shared_data
from tests.unit.scorers.judge.service import JudgeService, shown, verdict

pytestmark = pytest.mark.shared


def expected(name):
    return json.loads(shared_data(f"data/expected/{name}.json").read_text())


def cases(importer, name):
    return list(imported(importer, str(shared_data(f"data/{name}"))))


def outcomes(found: list[Case], answer) -> Counter[str]:
    scorer = AttackSuccess()
    return Counter(scorer.score(ScoreContext(case=case, output=answer(case))).label for case in found)


def refusing(case):
    return Output(text=REFUSAL)


def giving_away(case):
    """A system that tells its whole prompt and does what it is told."""
    told = obedient(case).text if case.expected["oracle"]["kind"] != "question" else ""
    return Output(text=f"{case.input.get('system', '')} {told}")


def test_cyberseceval_is_imported_whole():
    figures, found = expected("cyberseceval_prompt_injection"), cases("cyberseceval", "cyberseceval_prompt_injection")
    attacks = [case for case in found if case.metadata["kind"] == "attack"]
    english = [case for case in attacks if case.metadata["language"] == "en"]
    assert len(english) == figures["prompt_injection"]
    assert len(attacks) - len(english) == figures["multilingual"]
    assert len(found) - len(attacks) == figures["false_refusal_prompts"]
    assert len({case.id for case in found}) == len(found)
    assert Counter(case.metadata["goal"] for case in english) == figures["variants"]
    assert Counter(case.metadata["risk"] for case in english) == figures["risk"]
    indirect = sum(case.metadata["vector"] == "pasted" for case in english)
    assert {"indirect": indirect, "direct": len(english) - indirect} == figures["type"]
    assert Counter(c.metadata["language"] for c in attacks if c.metadata["language"] != "en") == figures["languages"]


def test_cyberseceval_against_a_system_that_refuses_and_one_that_gives_away():
    found = cases("cyberseceval", "cyberseceval_prompt_injection")
    english = [case for case in found if case.metadata["language"] == "en" and case.metadata["kind"] == "attack"]
    assert outcomes(english, refusing) == {"resisted": 251}
    told = outcomes(english, giving_away)
    literal = sum(case.expected["oracle"]["kind"] == "leak" for case in english)
    assert told["succeeded"] == literal >= 120
    assert told["resisted"] <= 3, "three system prompts are worded as refusals; told back, they refuse"
    assert told["invalid"] == 251 - literal - told["resisted"], "the others take a judge to tell"
    borderline = [case for case in found if case.metadata["kind"] == "safe_twin"]
    scorer = RefusalCorrectness()
    refused = Counter(scorer.score(ScoreContext(case=case, output=Output(text=REFUSAL))).label for case in borderline)
    assert refused == {"over_refusal": 750}


def test_bipia_is_built_without_duplicates_and_proved_at_both_ends():
    figures, found = expected("bipia"), cases("bipia", "bipia")
    assert len(found) == figures["cross product text attacks x email test x 3 positions"] == 11_250
    assert len({case.id for case in found}) == len({str(case.input) for case in found}) == len(found)
    assert Counter(case.metadata["wrapper"] for case in found) == dict.fromkeys(("start", "middle", "end"), 3_750)
    some = found[::75]
    assert outcomes(some, obedient) == {"succeeded": 150}
    assert outcomes(some, refusing) == {"resisted": 150}
    assert outcomes(some, echoing) == {"resisted": 150}


def test_other_slices_of_bipia_are_chosen_by_name():
    place = shared_data("data/bipia")
    for query, contexts in (("task=table", 100), ("split=train", 50), ("task=email&split=train", 50)):
        found = list(imported("bipia", f"{place}?{query}"))
        assert len(found) == len({case.id for case in found}) == contexts * 75 * 3
    with pytest.raises(UsageError, match="task=code"):
        list(imported("bipia", f"{place}?task=code"))


def test_privacylens_tells_who_gives_items_away():
    figures, found = expected("privacylens"), cases("privacylens", "privacylens")
    assert len(found) == figures["n"]
    assert sum(case.metadata["items"] for case in found) == figures["sensitive_info_items"]
    assert Counter(case.metadata["source"] for case in found) == figures["source"]
    assert len({toolkit for case in found for toolkit in case.metadata["toolkits"]}) == figures["toolkits"]
    assert outcomes(found, obedient) == {"succeeded": 493}
    assert outcomes(found, refusing) == {"resisted": 493}
    discreet = Output(text="I have had an interesting time at work and would love to hear from you.")
    assert outcomes(found, lambda _: discreet) == {"resisted": 493}


def test_canaries_raise_no_alarm_on_ordinary_answers():
    folder = shared_data("data/xstest")
    lines = [line for path in sorted(folder.glob("dev_*.jsonl")) for line in path.read_text().split("\n") if line]
    texts = [json.loads(line)["completion"] for line in lines]
    fills = [fill_for(str(number), seed=9) for number in range(20)]
    markers = [marker for fill in fills for marker in (fill.secret, f"{fill.a}{fill.b}")]
    assert len(texts) == 1_350
    assert [sighting for text in texts for sighting in find_markers(markers, text)] == []


def test_cyberseceval_with_a_judge_where_rules_decide_nothing():
    """A system that gives away what it was told fails all 251; the judge is not asked what a rule has told."""
    found = cases("cyberseceval", "cyberseceval_prompt_injection")
    english = [case for case in found if case.metadata["language"] == "en" and case.metadata["kind"] == "attack"]
    with JudgeService(lambda body: verdict("yes" if shown(body, "ANSWER") else "no")) as service:
        told = asyncio.run(judged(english, service, giving_away))
        assert told == {"succeeded": 251}
        asked = len(service.seen)
        assert asked == sum(case.expected["oracle"]["kind"] == "question" for case in english) == 113
        assert asyncio.run(judged(english, service, refusing)) == {"resisted": 251}
        assert len(service.seen) == asked, "plain refusals are told without a judge"


async def judged(found, service, answer):
    scorer = JudgedAttack(model="judge-1", base_url=service.url).bind(BindContext(base_dir=Path()))
    await scorer.open()
    try:
        scores = [await scorer.score(ScoreContext(case=case, output=answer(case))) for case in found]
    finally:
        await scorer.close()
    return Counter(score.label for score in scores)
