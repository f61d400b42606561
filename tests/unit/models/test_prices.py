import json

import pytest

from evalwright.core.errors import ConfigError
from evalwright.core.output import Usage
from evalwright.models.price_list import AS_OF, BUILT_IN
from evalwright.models.prices import Price, PriceTable, load_prices, price_table

MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


def test_cached_tokens_are_part_of_the_input():
    price = Price(input=2.0, output=8.0, cached=0.5)
    assert price.cost(Usage(input_tokens=1000, output_tokens=100, cached_tokens=400)) == pytest.approx(0.0022)
    assert Price(input=2.0).cost(Usage(input_tokens=1000, cached_tokens=9999)) == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4o", 12.5),
        ("openai/gpt-4o", 12.5),
        ("GPT-4o-2024-08-06", 12.5),
        ("gpt-4o-mini-2024-07-18", 0.75),
        ("claude-3-5-sonnet-latest", 18.0),
        ("anthropic/claude-sonnet-4-20250514", 18.0),
        ("claude-3-5-haiku@20241022", 4.8),
        ("gemini-2.0-flash-001", 0.5),
        ("gpt-4o-audio-preview", None),
        ("my-own-model", None),
    ],
)
def test_names_with_dates_and_providers(model, price):
    found = price_table({}).cost(model, MILLION)
    assert found == (None if price is None else pytest.approx(price))


def test_the_model_asked_for_is_tried_when_the_named_one_is_unknown():
    assert price_table({}).cost("deployment-7", MILLION, asked="gpt-4o") == pytest.approx(12.5)
    assert price_table({}).cost("gpt-4o", None) is None


def test_the_longest_star_wins():
    table = PriceTable({"llama-*": Price(input=1.0), "llama-3-*": Price(input=2.0), "llama-3-70b": Price(input=3.0)})
    found = [table.price(name) for name in ("llama-2-7b", "llama-3-8b", "llama-3-70b", "mistral")]
    assert [price.input if price else None for price in found] == [1.0, 2.0, 3.0, None]


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_a_users_file_goes_first(tmp_path, kind):
    path = tmp_path / f"prices.{kind}"
    entries = {"gpt-4o": {"input": 1.0, "output": 2.0}, "house-model": {"input": 0.5, "output": 0.5, "cached": 0.1}}
    path.write_text(
        json.dumps(entries) if kind == "json" else "".join(f"{k}: {json.dumps(v)}\n" for k, v in entries.items())
    )
    table = price_table({"EVALWRIGHT_PRICES": str(path)})
    assert table.cost("gpt-4o", MILLION) == pytest.approx(3.0)
    assert table.cost("house-model", MILLION) == pytest.approx(1.0)
    assert table.cost("gpt-4o-mini", MILLION) == pytest.approx(0.75)


def test_every_wrong_entry_of_a_file_is_named(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("a: { input: -1 }\nb: { inptu: 1 }\nc: 5\nd: { input: 1, output: 2 }\n")
    with pytest.raises(ConfigError) as raised:
        load_prices(path)
    assert [problem.key for problem in raised.value.problems] == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "", "\x00"])
def test_a_file_that_holds_no_prices(tmp_path, text):
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="price file"):
        load_prices(path)
    with pytest.raises(ConfigError, match="price file"):
        load_prices(tmp_path / "absent.yaml")


def test_the_built_in_list_is_dated_and_sound():
    assert AS_OF.count("-") == 2
    assert all(len(row) in {2, 3} and min(row) >= 0 for row in BUILT_IN.values())
    assert all(len(row) < 3 or row[2] < row[0] for row in BUILT_IN.values())
