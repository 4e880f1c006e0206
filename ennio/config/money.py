"""What a configuration says of money: who pays, who counts, and what models cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

EACH = "each"
"""What a budget that names nobody is called by."""


class BillingChoice(StrEnum):
    """Who pays for what an agent uses: as its own login says, each request, or a plan."""

    LOGIN = "login"
    METERED = "metered"
    PLAN = "plan"


class MeteringChoice(StrEnum):
    """Who counts what an agent uses: the agent, in what it writes down, or a proxy before its
    model.
    """

    AGENT = "agent"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """What a model costs from a day on (UTC), in dollars for a million tokens, and for a thousand
    searches of the web.

    It holds for requests of more than ``above`` tokens, all of them; ``tier`` is the way a request
    is served where that has a price of its own. What of the cache has no price costs as input.
    """

    model: str
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    web_searches: Decimal | None = None
    since: date | None = None
    above: int = 0
    tier: str | None = None


class BudgetScope(StrEnum):
    """Whose spending a budget limits."""

    GLOBAL = "global"
    PROJECT = "project"
    SESSION = "session"


class BudgetPeriod(StrEnum):
    """When a budget begins anew; windows are UTC."""

    DAILY = "daily"
    MONTHLY = "monthly"
    TOTAL = "total"


class OnExceed(StrEnum):
    """What happens to a running session that is over budget."""

    WARN = "warn"
    PAUSE = "pause"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of money, of tokens, or of both; ``id`` names the project or session where the
    scope needs one (None: each). ``count_plan``: what a plan gave counts as money too, at list
    price.
    """

    scope: BudgetScope
    limit_usd: Decimal | None = None
    period: BudgetPeriod = BudgetPeriod.TOTAL
    id: str | None = None
    on_exceed: OnExceed = OnExceed.PAUSE
    warn_at: float = 0.8
    limit_tokens: int | None = None
    count_plan: bool = False
