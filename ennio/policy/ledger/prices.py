"""What a request costs: by the prices of the configuration, else by those that are
shipped with genai-prices.

Those are data: nothing is fetched, and the package is loaded when something is to be priced for the
first time, which takes a part of a second. A price is that of the time of use. A model that
neither knows has no price at all, which is not the price zero.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from ennio.config.money import PriceOverride
from ennio.model.money import NOTHING
from ennio.model.usage import FAST, RequestUsage

_MILLION = Decimal(1_000_000)
_THOUSAND = Decimal(1_000)
_WAYS: Mapping[str, Mapping[str, str]] = {
    "batch": {"processing": "batch"},
    FAST: {"speed": "fast", "service_tier": "fast"},
}
"""How the price data call the ways in which a request is served; any other is a service tier."""
_of_tokens = attrgetter(
    *("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")
)
_STANDARD = ("", "default", "standard", "auto", "on_demand")


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars for a million tokens, and for a thousand searches of the web. Tokens that have no
    price of their own are charged as input.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    web_searches: Decimal | None = None

    def cost(self, told: RequestUsage) -> Decimal | None:
        """What a request costs at these rates; None where it searched the web, for nobody knows
        how much.
        """
        tokens = told.tokens
        if tokens.web_searches and self.web_searches is None:
            return None
        searched = tokens.web_searches * (self.web_searches or NOTHING) / _THOUSAND
        read = self.input if self.cache_read is None else self.cache_read
        written = self.input if self.cache_write is None else self.cache_write
        for_an_hour = written if self.cache_write_1h is None else self.cache_write_1h
        charged = (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_read * read
            + tokens.cache_write * written
            + tokens.cache_write_1h * for_an_hour
        )
        return charged / _MILLION + searched


class PriceBook:
    """Answers what a request costs; the same question always has the same answer."""

    def __init__(self, overrides: Sequence[PriceOverride] = ()) -> None:
        self._overrides = overrides

    def cost(self, told: RequestUsage) -> Decimal | None:
        """Dollars; None where nobody knows a price of its model."""
        if told.model is None:
            return None
        rates = self._of_configuration(told) or _shipped(told)
        return None if rates is None else rates.cost(told)

    def _of_configuration(self, told: RequestUsage) -> Rates | None:
        """Of those that hold then the latest, and of these the one with the highest threshold."""
        day, way = told.at.astimezone(UTC).date(), told.tier or ""
        tiers = ("",) if way in _STANDARD else (way,)
        found = [
            price
            for price in self._overrides
            if price.model == told.model
            and (price.tier or "") in tiers
            and (price.since or date.min) <= day
            and told.tokens.given > price.above - (price.above == 0)
        ]
        if not found:
            return None
        price = max(found, key=lambda each: (each.since or date.min, each.above))
        written = (price.cache_write, price.cache_write_1h)
        return Rates(
            price.input, price.output, price.cache_read, *written, self._of_searches(told, price)
        )

    @staticmethod
    def _of_searches(told: RequestUsage, price: PriceOverride) -> Decimal | None:
        """What a thousand searches cost; where the configuration does not say, as the price data
        have it, for they cost the same whatever was agreed for tokens.
        """
        if price.web_searches is not None or not told.tokens.web_searches:
            return price.web_searches
        shipped = _shipped(told)
        return None if shipped is None else shipped.web_searches


def _shipped(told: RequestUsage) -> Rates | None:
    if not any(told.tokens.counts):
        return Rates(NOTHING, NOTHING)
    found, way = _model(told.model or "", told.provider), _way(told.tier or "")
    if found is None or not _has_price(found, told.at, way):
        return None
    price = found.get_prices(told.at, way)
    given = told.tokens.given
    asked, answered, read, written, for_an_hour = (_rate(each, given) for each in _of_tokens(price))
    if asked is None or answered is None:
        return None
    searches = _rate(getattr(price, "web_searches_kcount", None), given)
    return Rates(asked, answered, read, written, for_an_hour, searches)


def _way(tier: str) -> Mapping[str, str] | None:
    if tier in _STANDARD:
        return None
    return _WAYS.get(tier, {"service_tier": tier})


def _has_price(model: Any, at: datetime, way: Mapping[str, str] | None) -> bool:
    """Whether there is a price for requests that are served this way: where there is none, the
    data give the usual one, which it is not.
    """
    return way is None or any(
        variant.when.items() <= way.items()
        and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def _rate(price: Any, given: int) -> Decimal | None:
    """The rate for a request of so many tokens: beyond a threshold it holds for all of them."""
    if price is None or isinstance(price, Decimal):
        return price
    above = [tier.price for tier in price.tiers if given > tier.start]
    return Decimal(above[-1] if above else price.base)


@cache
def _model(name: str, provider: str | None) -> Any:
    """The prices of a model as its provider charges them, or as its maker does; None
    for one that is not known.
    """
    snapshot = importlib.import_module("genai_prices.data_snapshot").get_snapshot()
    bare = name.removesuffix("[1m]")  # how an agent names a model with a larger window
    for reference, of in _references(bare, provider):
        try:
            return snapshot.find_provider_model(reference, None, of, None)[1]
        except LookupError:
            continue
    return None


def _references(name: str, provider: str | None) -> Sequence[tuple[str, str | None]]:
    before, _, after = name.partition("/")
    parts = [(after, before)] if after else []
    return [*([(name, provider)] if provider else []), *parts, (name, None)]
