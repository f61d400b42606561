"""What tokens cost: a table by model, ours as a start, the user's in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec
import re2
import yaml

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.output import Usage
from evalwright.models.price_list import BUILT_IN

PRICES_VARIABLE = "EVALWRIGHT_PRICES"
"""Environment variable that names a price file."""

_SUFFIX = re2.compile(r"(?:[-@](?:20\d{2}-?\d{2}-?\d{2}|latest|preview|exp|\d{3})|-v\d+(?::\d+)?|-\d{2}-\d{2})$")
_MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money per million tokens, in one currency for a whole table.

    Attributes:
        input: Input tokens.
        output: Output tokens.
        cached: Input tokens read from the provider's cache; as `input` when None.
    """

    input: float
    output: float = 0.0
    cached: float | None = None

    def cost(self, usage: Usage) -> float:
        """What a usage costs; cached tokens are part of the input tokens.

        Example:
            >>> Price(input=2.0, output=8.0, cached=0.5).cost(Usage(input_tokens=1_000_000, cached_tokens=500_000))
            1.25
        """
        cached = min(usage.cached_tokens, usage.input_tokens)
        fresh = usage.input_tokens - cached
        cached_price = self.input if self.cached is None else self.cached
        return (fresh * self.input + cached * cached_price + usage.output_tokens * self.output) / _MILLION


class PriceTable:
    """Prices by model name.

    A name is looked up as it is, then without a provider in front (`openai/gpt-4o`), then without a date, version or
    `-latest` at its end (`gpt-4o-2024-08-06`); names in the table may end in `*`.

    Args:
        prices: By model, in the order they are looked up.
        fallback: Price of a model the table does not know.
    """

    def __init__(self, prices: Mapping[str, Price], *, fallback: Price | None = None) -> None:
        self._exact = {name.lower(): price for name, price in prices.items() if not name.endswith("*")}
        stars = [(name[:-1].lower(), price) for name, price in prices.items() if name.endswith("*")]
        self._stars = sorted(stars, key=lambda item: -len(item[0]))
        self._fallback = fallback
        self._known: dict[str, Price | None] = {}

    def price(self, model: str) -> Price | None:
        """The price of a model, None when the table does not know it."""
        if model not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[model] = self._find(model.lower())
        return self._known[model]

    def cost(self, model: str, usage: Usage | None, *, asked: str | None = None) -> float | None:
        """What a usage costs, None when usage or price are unknown.

        Args:
            model: Model as the provider named it.
            usage: Tokens.
            asked: Model as it was asked for, tried when the first is unknown.
        """
        if usage is None:
            return None
        price = self.price(model) or (self.price(asked) if asked else None)
        return price.cost(usage) if price else None

    def _find(self, model: str) -> Price | None:
        for name in _spellings(model):
            if name in self._exact:
                return self._exact[name]
        for prefix, price in self._stars:
            if any(name.startswith(prefix) for name in _spellings(model)):
                return price
        return self._fallback


def price_table(environment: Mapping[str, str], path: Path | None = None) -> PriceTable:
    """The table to use: the file given, else the one named by `EVALWRIGHT_PRICES`, in front of the built-in list.

    Raises:
        ConfigError: The file can't be read.
    """
    named = environment.get(PRICES_VARIABLE)
    file = path or (Path(named) if named else None)
    return PriceTable({**BUILT_IN_PRICES, **(load_prices(file) if file else {})}) if file else _built_in_table()


def load_prices(path: Path) -> dict[str, Price]:
    """Read a price file: YAML or JSON, model to `{ input, output, cached }` per million tokens.

    Raises:
        ConfigError: It can't be read, or an entry is wrong; every wrong entry is named.
    """
    try:
        content: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError([Problem(message=f"the price file can't be read: {error}", file=str(path))]) from None
    if not isinstance(content, dict):
        hint = "write `my-model: { input: 2.5, output: 10, cached: 1.25 }`, money per million tokens"
        raise ConfigError([Problem(message="the price file holds no mapping of models", file=str(path), hint=hint)])
    prices, problems = {}, []
    for name, entry in content.items():
        try:
            prices[str(name)] = _price(entry)
        except (msgspec.ValidationError, ValueError) as error:
            problems.append(Problem(message=f"price of `{name}`: {error}", file=str(path), key=str(name)))
    if problems:
        raise ConfigError(problems)
    return prices


def _price(entry: Json) -> Price:
    price = msgspec.convert(entry, Price)
    amounts = (price.input, price.output, price.cached or 0.0)
    if not all(0 <= amount < float("inf") for amount in amounts):
        raise ValueError("a price is a number of 0 or more")
    return price


def _spellings(model: str) -> tuple[str, ...]:
    bare = model.rpartition("/")[2]
    short = bare
    while (cut := _SUFFIX.sub("", short)) != short:
        short = str(cut)
    return tuple(dict.fromkeys((model, bare, short)))


BUILT_IN_PRICES: dict[str, Price] = {
    name: Price(input=row[0], output=row[1], cached=row[2] if len(row) > 2 else None) for name, row in BUILT_IN.items()
}
"""The built-in list as prices."""


@lru_cache(maxsize=1)
def _built_in_table() -> PriceTable:
    return PriceTable(BUILT_IN_PRICES)
