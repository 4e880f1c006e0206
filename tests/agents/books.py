"""What real agents used, to the digit: what the model counted of each request, held against the
books, and priced here by a table of the test's own.

What an agent does not write down is in docs/costs.md; ``Agent.told`` is that table as a test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.agents.bench import (
    Bench,
    Settle,
    aider_home,
    claude_home,
    codex_home,
    opencode_home,
)
from tests.agents.model import Served
from tests.conftest import eventually

KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
Counts = tuple[int, int, int, int, int]
_ENTRIES = f"""SELECT launch, requests, unpriced, source, billing, amount,
    {", ".join(f"{kind}_tokens" for kind in KINDS)}
    FROM ledger_entries WHERE session_id = ? ORDER BY at, id"""  # noqa: S608 - all parts stand above
_BALANCE = """SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE debit LIKE 'expense:%')
    - (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE credit LIKE 'expense:%') AS moved"""
SONNET = ("3", "15", "0.30", "3.75", "6")
"""Dollars for a million tokens of each of ``KINDS``, as Anthropic's list has them."""
OWN = ("3.000001", "15", "0.300001", "3.750001", "0")
LOOP = ("1", "2", "0.1", "0", "0")


def apart(one: Served) -> Counts:
    """What has to do with the cache is told apart."""
    given = one.input_tokens - one.cache_read - one.cache_write - one.cache_write_1h
    return given, one.output_tokens, one.cache_read, one.cache_write, one.cache_write_1h


def _at_once(one: Served) -> Counts:
    """All that was sent is one number."""
    return one.input_tokens, one.output_tokens, 0, 0, 0


@dataclass(frozen=True, slots=True)
class Agent:
    """``told`` is what it writes down of a request, ``rates`` what that costs, and ``source`` who
    computes the money of it.
    """

    executable: str
    plugin: str
    config: Mapping[str, Any]
    settle: Settle
    rates: Sequence[str]
    told: Callable[[Served], Counts] = apart
    source: str = "local"

    def units(self, counts: Counts) -> int:
        """The money in 10^-12 dollars: a dollar for a million tokens is a million of them."""
        each = zip(counts, self.rates, strict=True)
        money = sum((count * Decimal(rate) * 1_000_000 for count, rate in each), Decimal(0))
        assert money == int(money), "the rates have no more than six places"
        return int(money)


CLAUDE = Agent(
    "claude",
    "claude-code",
    {"permissions": "default", "model": "claude-sonnet-4-5-20250929"},
    claude_home,
    SONNET,
)
CODEX = Agent("codex", "codex", {"permissions": "on-request"}, codex_home, OWN)
AIDER = Agent(
    "aider",
    "aider",
    {"model": "openai/scripted", "passthrough": {"edit_format": "diff"}},
    aider_home,
    OWN,
    told=_at_once,
)
OPENCODE = Agent(
    "opencode",
    "opencode",
    {"model": "loop/scripted"},
    opencode_home,
    LOOP,
    source="provider",
)
AGENTS = (CLAUDE, CODEX, AIDER, OPENCODE)
PRICES = [
    {
        "model": name,
        "input": OWN[0],
        "output": OWN[1],
        "cache_read": OWN[2],
        "cache_write": OWN[3],
    }
    for name in ("scripted", "openai/scripted")
]


def agree(at: Bench, agent: Agent) -> None:
    """Wait until the books have each request that moved the script as the model counted it, once
    and in the launch it was made in, and nothing else; and hold all that the API shows of it
    against that. The agent rests.
    """
    served = [one for one in at.model.good if one.scripted]
    eventually(lambda: len(entries(at)) >= len(served), 30, "each request is in the books")
    at.rests()
    counts = [agent.told(one) for one in served]
    told = [
        (_launch(at, one), 1, 0, agent.source, "metered", agent.units(each), *each)
        for one, each in zip(served, counts, strict=True)
    ]
    assert sorted(tuple(row.values()) for row in entries(at)) == sorted(told)
    money = sum(agent.units(each) for each in counts)
    (row,) = at.house.ground.rows(_BALANCE)
    assert int(row["moved"]) == money
    usage, metrics = at.view()["usage"], at.view()["metrics"]
    given, made = _sums(counts)
    assert Decimal(usage["cost_usd"]).scaleb(12) == money
    assert (usage["input_tokens"], usage["output_tokens"], usage["unpriced"]) == (given, made, 0)
    assert Decimal(metrics["estimated_cost_usd"]).scaleb(12) == money
    assert (metrics["total_tokens_in"], metrics["total_tokens_out"]) == (given, made)


def are_reported(at: Bench, agent: Agent) -> None:
    """Hold the report of costs on a terminal against what the model counted."""
    counts = [agent.told(one) for one in at.model.good if one.scripted]
    report = json.loads(at.house.ground.ennio("cost", "--by", "session", "--json").out)
    (row,) = report["rows"]
    assert Decimal(row["billed_usd"]).scaleb(12) == sum(agent.units(each) for each in counts)
    told = row["requests"], row["input_tokens"], row["output_tokens"]
    assert told == (len(counts), *_sums(counts))


def entries(at: Bench) -> list[dict[str, Any]]:
    """What the books hold of the session."""
    return at.house.ground.rows(_ENTRIES, at.session)


def _sums(counts: Sequence[Counts]) -> tuple[int, int]:
    made = sum(each[1] for each in counts)
    return sum(map(sum, counts)) - made, made


def _launch(at: Bench, one: Served) -> int:
    """The start of the agent that it was asked in: each time it was killed another followed."""
    ends = [moment for moment, allowed in at.marks if allowed == {"exited"}]
    return 1 + sum(moment < one.began for moment in ends)
