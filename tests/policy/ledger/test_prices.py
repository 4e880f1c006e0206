"""What a request costs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.config.money import PriceOverride
from ennio.model.usage import RequestUsage, Tokens
from ennio.policy.ledger.prices import PriceBook

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MODELS = (
    ("claude-sonnet-4-5-20250929", "anthropic"),
    ("claude-opus-4-6", "anthropic"),
    ("gpt-5", "openai"),
    ("gemini-2.5-pro", "google"),
)
COUNTS = st.one_of(st.integers(0, 5000), st.integers(0, 10**6))


def _told(tokens: Tokens, model: str | None, **more: Any) -> RequestUsage:
    return RequestUsage("a", more.pop("at", NOON), tokens, model, **more)


@settings(deadline=None)
@given(st.sampled_from(MODELS), COUNTS, COUNTS, COUNTS, COUNTS, st.integers(2023, 2026))
def test_a_request_costs_to_the_digit_what_the_price_data_say(
    model: tuple[str, str], sent: int, made: int, read: int, written: int, year: int
) -> None:
    from genai_prices import Usage, calc_price

    at = datetime(year, 6, 10, 3, tzinfo=UTC)
    told = _told(Tokens(sent, made, read, written), model[0], provider=model[1], at=at)
    usage = Usage(
        input_tokens=sent + read + written,
        output_tokens=made,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
    theirs = calc_price(usage, model[0], provider_id=model[1], genai_request_timestamp=at)
    if written and theirs.model_price.cache_write_mtok is None:
        return  # what has no price of its own costs as input here
    assert PriceBook().cost(told) == theirs.total_price


def test_beyond_a_threshold_all_of_a_request_costs_more() -> None:
    below = PriceBook().cost(_told(Tokens(200_000, 1000), "claude-sonnet-4-5"))
    above = PriceBook().cost(_told(Tokens(1, 1000, 200_000), "claude-sonnet-4-5"))
    assert below == Decimal("0.615")
    assert above == Decimal("0.000006") + Decimal("0.12") + Decimal("0.0225")


def test_what_lasts_an_hour_in_a_cache_costs_more_than_what_does_not() -> None:
    cost = PriceBook().cost(_told(Tokens(0, 0, 0, 1000, 1000), "claude-opus-4-5"))
    assert cost == Decimal("0.00625") + Decimal("0.01")


def test_a_batch_has_a_price_of_its_own() -> None:
    usual = PriceBook().cost(_told(Tokens(1000, 100), "claude-sonnet-4-5"))
    batch = PriceBook().cost(_told(Tokens(1000, 100), "claude-sonnet-4-5", tier="batch"))
    standard = PriceBook().cost(_told(Tokens(1000, 100), "claude-sonnet-4-5", tier="standard"))
    assert usual == standard == Decimal("0.0045")
    assert batch == Decimal("0.00225")


def test_what_is_answered_faster_costs_more() -> None:
    usual = PriceBook().cost(_told(Tokens(1000, 100), "claude-opus-5"))
    fast = PriceBook().cost(_told(Tokens(1000, 100), "claude-opus-5", tier="fast"))
    assert usual is not None
    assert fast == 2 * usual


@pytest.mark.parametrize("tier", ["priority", "fast"])
def test_openai_asks_more_for_what_goes_first_and_less_for_what_may_wait(tier: str) -> None:
    def cost(tier: str | None) -> Decimal | None:
        tokens = Tokens(10**6, 10**5, 10**6)
        return PriceBook().cost(_told(tokens, "gpt-5.5", provider="openai", tier=tier))

    first, usual, waits = cost(tier), cost("default"), cost("flex")
    assert first is not None
    assert usual is not None
    assert waits is not None
    assert usual == cost(None)
    assert waits < usual < first


@pytest.mark.parametrize(
    ("model", "tier"),
    [("gpt-5-pro", "priority"), ("gpt-5.5", "ultrafast"), ("claude-sonnet-4-5", "fast")],
)
def test_a_way_of_serving_that_nobody_knows_the_price_of_is_unknown_and_not_the_usual_one(
    model: str, tier: str
) -> None:
    told = _told(Tokens(1000, 100), model, tier=tier)
    assert PriceBook().cost(told) is None
    agreed = PriceOverride(model, Decimal(1), Decimal(2), tier=tier)
    assert PriceBook((agreed,)).cost(told) == Decimal("0.0012")


def test_searches_of_the_web_cost_by_the_thousand_beside_the_tokens() -> None:
    searched = PriceBook().cost(
        _told(Tokens(1000, 100, web_searches=3), "claude-sonnet-4-5", provider="anthropic")
    )
    assert searched == Decimal("0.0045") + Decimal("0.03")


def test_the_configuration_may_know_what_a_search_costs_and_leaves_it_to_the_data_else() -> None:
    tokens = Tokens(10**6, 0, web_searches=2)
    agreed = PriceOverride("claude-sonnet-4-5", Decimal(1), Decimal(2))
    dear = PriceOverride("claude-sonnet-4-5", Decimal(1), Decimal(2), web_searches=Decimal(50))
    assert PriceBook((agreed,)).cost(_told(tokens, agreed.model)) == Decimal("1.02")
    assert PriceBook((dear,)).cost(_told(tokens, dear.model)) == Decimal("1.1")


def test_a_search_of_which_nobody_knows_the_price_makes_the_request_unknown_and_not_free() -> None:
    mine = PriceBook((PriceOverride("mine", Decimal(1), Decimal(2)),))
    assert mine.cost(_told(Tokens(1000, 0, web_searches=1), "mine")) is None
    assert mine.cost(_told(Tokens(1000, 0), "mine")) == Decimal("0.001")


@pytest.mark.parametrize("model", ["scripted", "", None, "no-such-model-9"])
def test_a_model_that_nobody_knows_has_no_price(model: str | None) -> None:
    assert PriceBook().cost(_told(Tokens(1000, 100), model)) is None


@pytest.mark.parametrize(
    "name", ["claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", "claude-sonnet-4-5[1m]"]
)
def test_a_model_is_known_by_the_names_that_agents_give_it(name: str) -> None:
    assert PriceBook().cost(_told(Tokens(1000, 100), name)) == Decimal("0.0045")


def test_the_configuration_comes_first_and_a_price_is_that_of_the_time_of_use() -> None:
    book = PriceBook(
        (
            PriceOverride("mine", Decimal(1), Decimal(2)),
            PriceOverride("mine", Decimal(3), Decimal(4), since=date(2026, 12, 1)),
        )
    )
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    before = _told(Tokens(10**6, 0), "mine", at=midnight - timedelta(microseconds=1))
    assert book.cost(before) == 1
    assert book.cost(_told(Tokens(10**6, 0), "mine", at=midnight)) == 3


def test_the_configuration_may_know_a_threshold_and_a_tier() -> None:
    book = PriceBook(
        (
            PriceOverride("mine", Decimal(1), Decimal(2), cache_read=Decimal("0.1")),
            PriceOverride("mine", Decimal(2), Decimal(4), above=1000),
            PriceOverride("mine", Decimal("0.5"), Decimal(1), tier="batch"),
        )
    )
    assert book.cost(_told(Tokens(500, 0, 500), "mine")) == Decimal("0.00055")
    assert book.cost(_told(Tokens(501, 0, 500), "mine")) == Decimal("0.002002")
    assert book.cost(_told(Tokens(1000, 0), "mine", tier="batch")) == Decimal("0.0005")


@pytest.mark.real
def test_the_price_data_are_loaded_when_they_are_needed_and_nothing_is_fetched() -> None:
    program = (
        "import sys, threading; from ennio.policy.ledger.prices import PriceBook\n"
        "assert 'genai_prices' not in sys.modules\n"
        "from datetime import datetime, UTC; from ennio.model.usage import RequestUsage, Tokens\n"
        "told = RequestUsage('a', datetime.now(UTC), Tokens(1), 'gpt-5')\n"
        "assert PriceBook().cost(told); assert 'genai_prices' in sys.modules\n"
        "assert threading.active_count() == 1, threading.enumerate()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
