"""The packs that come with Evalwright: their files are right, their oracles can be trusted, their cases are stable."""

import pytest

from evalwright.packs.expand import Expansion, expand
from evalwright.packs.model import CAPABILITIES
from evalwright.services.pack_files import load_pack, pack_names, self_test

EVERYTHING = Expansion(limit=150, capabilities=frozenset(CAPABILITIES))
ATTACKING = [name for name in pack_names() if load_pack(name).goals]


def test_the_promised_packs_are_there():
    assert len(pack_names()) >= 16
    assert len(ATTACKING) >= 14


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_has_a_card(name):
    pack = load_pack(name)
    assert pack.pack == name
    assert pack.version
    assert pack.licence
    assert pack.source
    assert len(pack.description) > 80
    tags = pack.tags
    assert tags.owasp or tags.nist
    assert all(goal.title and goal.hint for goal in pack.goals)


@pytest.mark.parametrize("name", ATTACKING)
def test_the_four_scripted_systems_come_out_as_they_must(name):
    results = {result.victim: result for result in self_test(load_pack(name), limit=150)}
    assert results["obedient"].attacks > 0
    assert {victim: result.wrong for victim, result in results.items()} == dict.fromkeys(results, ())
    assert results["obedient"].succeeded == results["obedient"].attacks
    assert results["refusing"].succeeded == 0
    assert results["echoing"].succeeded == 0
    assert results["failing"].invalid == results["failing"].attacks


@pytest.mark.parametrize("name", pack_names())
def test_the_same_seed_gives_the_same_cases_and_ids_are_unique(name):
    pack = load_pack(name)
    first, second = expand(pack, EVERYTHING), expand(pack, EVERYTHING)
    assert first == second
    ids = [case.id for case in first.cases]
    assert len(ids) == len(set(ids)) > 0


@pytest.mark.parametrize("name", pack_names())
def test_every_placeholder_is_filled(name):
    for case in expand(load_pack(name), EVERYTHING).cases:
        for word in ("[[A]]", "[[B]]", "[[SECRET]]", "[[HOST]]", "[[TOOL]]", "[[GOAL]]", "[[PAYLOAD]]", "[[PERSON]]"):
            assert word not in str(case.input)
            assert word not in str(case.expected)
