"""What of ``ennio.yaml`` is about money: limits, and what models cost."""

from __future__ import annotations

from ennio.config.fields import MappingSchema
from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed, PriceOverride
from ennio.config.number_fields import (
    BoolField,
    DateField,
    FractionField,
    IntField,
    MoneyField,
)
from ennio.config.text_fields import EnumField, StringField

_MANY = 2**32 - 1
_MOST_TOKENS = 10**15


class BudgetSchema(MappingSchema):
    """One of ``budgets``."""

    makes = Budget
    scope = EnumField("Whose spending", BudgetScope, required=True)
    id = StringField("The one project or session it is for; left out: each by itself", none=True)
    period = EnumField("When it begins anew (UTC)", BudgetPeriod)
    limit_usd = MoneyField("The limit in dollars; 0 admits nothing", none=True)
    limit_tokens = IntField(
        "The limit in tokens, those of plans and of the cache among them; 0 admits nothing",
        0,
        _MOST_TOKENS,
        none=True,
    )
    on_exceed = EnumField("What happens to a running session beyond it", OnExceed)
    warn_at = FractionField("The part of the limit at which a person is told")
    count_plan = BoolField("What a plan gave counts as money too, at list price")


class PriceSchema(MappingSchema):
    """One of ``prices``."""

    makes = PriceOverride
    model = StringField("The model, as its agent calls it", required=True)
    input = MoneyField("What is sent to the model", required=True)
    output = MoneyField("What it answers", required=True)
    cache_read = MoneyField("What is read from a cache; left out: as `input`", none=True)
    cache_write = MoneyField("What is written to a cache; left out: as `input`", none=True)
    cache_write_1h = MoneyField(
        "What is written to one that lasts an hour; left out: as `cache_write`", none=True
    )
    web_searches = MoneyField(
        "A thousand searches of the web by the provider; left out: as the price data have it",
        none=True,
    )
    since = DateField("The day (UTC) from which on it holds; left out: ever since", none=True)
    above = IntField(
        "It holds for requests that send more tokens than these, and for all of their tokens",
        0,
        _MANY,
    )
    tier = StringField(
        "It holds for requests that are served this way, such as `batch`; left out: the usual way",
        none=True,
    )
