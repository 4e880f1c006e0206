"""What real agents used, to the digit: what the model counted of each request, held against the
books, and priced here by a table of the test's own.

What an agent does not write down is in docs/costs.md; ``Agent.told`` is that table as a test.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.agents.bench import (
    Bench,
    Settle,
    aider_home,
    bench,
    claude_home,
    codex_home,
    installed,
    opencode_home,
)
from tests.agents.model import Served
from tests.conftest import eventually

PATIENCE = 90.0
KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
Counts = tuple[int, int, int, int, int]
_ENTRIES = f"""SELECT launch, requests, unpriced, source, billing, amount,
    {", ".join(f"{kind}_tokens" for kind in KINDS)}
    FROM ledger_entries WHERE session_id = ? ORDER BY at, id"""  # noqa: S608 - all parts stand above
_BALANCE = """SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE debit LIKE 'expense:%')
    - (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfers WHERE credit LIKE 'expense:%') AS moved"""
SONNET = ("3", "15", "0.30", "3.75", "6")
"""Dollars for a million tokens of each of ``KINDS``, as Anthropic's list has them."""
OWN = ("3.000001", "15", "0.300001", "0", "0")
LOOP = ("1", "2", "0.1", "0", "0")


def _apart(one: Served) -> Counts:
    """What has to do with the cache is told apart."""
    apart = one.cache_read + one.cache_write + one.cache_write_1h
    given = one.input_tokens - apart
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
    told: Callable[[Served], Counts] = _apart
    source: str = "local"

    def units(self, counts: Counts) -> int:
        """The money in 10^-12 dollars: a dollar for a million tokens is a million of them."""
        each = zip(counts, self.rates, strict=True)
        money = sum((count * Decimal(rate) * 1_000_000 for count, rate in each), Decimal(0))
        assert money == int(money), "the rates have no more than six places"
        return int(money)


AGENTS = (
    Agent(
        "claude",
        "claude-code",
        {"permissions": "default", "model": "claude-sonnet-4-5-20250929"},
        claude_home,
        SONNET,
    ),
    Agent("codex", "codex", {"permissions": "on-request"}, codex_home, OWN),
    Agent(
        "aider",
        "aider",
        {"model": "openai/scripted", "passthrough": {"edit_format": "diff"}},
        aider_home,
        OWN,
        told=_at_once,
    ),
    Agent(
        "opencode",
        "opencode",
        {"model": "loop/scripted"},
        opencode_home,
        LOOP,
        source="provider",
    ),
)
PRICES = [
    {"model": name, "input": OWN[0], "output": OWN[1], "cache_read": OWN[2]}
    for name in ("scripted", "openai/scripted")
]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.plugin)
def test_what_an_agent_used_is_in_the_books_to_the_digit(tmp_path: Path, agent: Agent) -> None:
    place = installed(agent.executable)
    with bench(tmp_path, place, agent.plugin, agent.config, agent.settle, prices=PRICES) as at:
        at.model.caches = True
        at.spawn(":say one")
        _agrees(at, agent, (1,))
        _says(at, ":say two")
        _agrees(at, agent, (1, 1))
        _is_resumed(at)
        _says(at, ":say three")
        _agrees(at, agent, (1, 1, 2))
        at.house.kill_everything()  # what was read is not posted again by the next one
        at.house.start()
        at.rests()
        _says(at, ":say four")
        _agrees(at, agent, (1, 1, 2, 2))
        _asides_are_told_by_nobody(at)


def _says(at: Bench, words: str) -> None:
    at.mark("told", "ready", "active")
    at.say(words)


def _is_resumed(at: Bench) -> None:
    at.mark("killed", "exited")
    os.kill(at.pid(), signal.SIGKILL)
    at.becomes("exited")
    at.mark("started again", "exited", "None", "ready")
    at.house.client.post(f"/sessions/{at.session}/restore")
    at.becomes("ready", PATIENCE)


def _agrees(at: Bench, agent: Agent, launches: tuple[int, ...]) -> None:
    """Wait until the books have each request of these launches as the model counted it, and hold
    all that is shown of it against that.
    """
    at.ends_turns(len(launches), PATIENCE)
    eventually(lambda: len(_entries(at)) >= len(launches), 30, "each request is in the books")
    at.rests()
    served = [one for one in at.model.good if one.scripted]
    counts = [agent.told(one) for one in served]
    told = [
        (launch, 1, 0, agent.source, "metered", agent.units(each), *each)
        for launch, each in zip(launches, counts, strict=True)
    ]
    assert [tuple(row.values()) for row in _entries(at)] == told
    money = sum(agent.units(each) for each in counts)
    (row,) = at.house.ground.rows(_BALANCE)
    assert int(row["moved"]) == money
    _shown(at, money, counts)


def _shown(at: Bench, money: int, counts: Sequence[Counts]) -> None:
    """Every face says the same."""
    given = sum(sum(each) - each[1] for each in counts)
    made = sum(each[1] for each in counts)
    usage, metrics = at.view()["usage"], at.view()["metrics"]
    report = json.loads(at.house.ground.ennio("cost", "--by", "session", "--json").out)
    assert Decimal(usage["cost_usd"]).scaleb(12) == money
    assert (usage["input_tokens"], usage["output_tokens"], usage["unpriced"]) == (given, made, 0)
    assert Decimal(metrics["estimated_cost_usd"]).scaleb(12) == money
    assert (metrics["total_tokens_in"], metrics["total_tokens_out"]) == (given, made)
    (row,) = report["rows"]
    assert Decimal(row["billed_usd"]).scaleb(12) == money
    assert (row["requests"], row["input_tokens"], row["output_tokens"]) == (
        len(counts),
        given,
        made,
    )


def _entries(at: Bench) -> list[dict[str, Any]]:
    return at.house.ground.rows(_ENTRIES, at.session)


def _asides_are_told_by_nobody(at: Bench) -> None:
    """Titles and the like are requests that no agent writes down: they are in no books."""
    asides = [one for one in at.model.good if not one.scripted]
    print(f"\n{at.view()['agent_name']}: {len(asides)} requests that it does not write down")
    assert len(_entries(at)) == len(at.model.good) - len(asides)


def test_a_model_that_nobody_knows_is_unknown_whatever_claude_itself_reckons(
    tmp_path: Path,
) -> None:
    config = {"permissions": "default", "model": "claude-unheard-of-9"}
    with bench(tmp_path, installed("claude"), "claude-code", config, claude_home) as at:
        at.spawn(":say one")
        at.ends_turns(1, PATIENCE)
        eventually(lambda: len(_entries(at)) == 1, 30, "the request is in the books")
        own = at.house.ground.home / "sessions" / at.session / "cost.json"
        eventually(lambda: _reckoned(own) > 0, 30, "claude tells a count of its own")
        at.rests()
        usage = at.view()["usage"]
        assert (usage["cost_usd"], usage["unpriced"], usage["input_tokens"]) == (None, 1, 1007)
        shown = at.house.ground.ennio("session", "info", at.session).out
        assert "1.0k in, 11 out, ?" in shown
        (line,) = (
            line.split()
            for line in at.house.ground.ennio("cost", "--by", "model").out.splitlines()
            if "unheard" in line
        )
        assert line == ["claude-unheard-of-9", "1", "1.0k", "11", "?"]


def _reckoned(file: Path) -> float:
    told = json.loads(file.read_text())["conversations"].values() if file.exists() else ()
    return sum(float(one["total"]) for one in told)
