"""Real agents whose requests go past the metering proxy: every request that their model served is
in the books as the model counted it, those too that no agent writes down.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.agents.bench import PATIENCE, Bench, bench, installed
from tests.agents.books import AGENTS, AIDER, OWN, PRICES, Agent, Counts, apart, entries
from tests.agents.heard import FIRST_OF_METERED, is_heard
from tests.conftest import eventually


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.plugin)
def test_what_a_real_agent_asks_is_counted_as_its_model_counted_it(
    tmp_path: Path, agent: Agent
) -> None:
    config = {**agent.config, "metering": "proxy"}
    place = installed(agent.executable)
    with bench(tmp_path, place, agent.plugin, config, agent.settle, prices=PRICES) as at:
        at.model.caches = True
        _begins(at, agent)
        _agrees(at, agent, {1})
        at.say(":say two")
        at.ends_turns(2, PATIENCE)
        _agrees(at, agent, {1})
        _is_resumed(at)
        at.say(":say three")
        at.ends_turns(3, PATIENCE)
        _agrees(at, agent, {1, 2})
        counted = at.view()["counted"]
        assert (counted["launch"], counted["unknown"]) == (2, 0)


def _begins(at: Bench, agent: Agent) -> None:
    """With words that are read where they arrive; aider puts rules for edits behind them."""
    if agent is AIDER:
        at.spawn(":say one")
        at.ends_turns(1, PATIENCE)
    else:
        is_heard(at, FIRST_OF_METERED, lambda: at.spawn(FIRST_OF_METERED))


def _is_resumed(at: Bench) -> None:
    os.kill(at.pid(), signal.SIGKILL)
    at.becomes("exited")
    at.house.client.post(f"/sessions/{at.session}/restore")
    at.becomes("ready", PATIENCE)


def _agrees(at: Bench, agent: Agent, launches: set[int]) -> None:
    """Wait until the books have what the model served, each request by itself, and the money."""
    at.rests()
    eventually(lambda: _booked(at) == _served(at), 30, f"{_booked(at)} {_served(at)}")
    assert {row["launch"] for row in entries(at)} == launches
    # what an agent reckons by itself is its own affair; what passed is priced by Ennio
    priced = replace(agent, rates=OWN) if agent.source == "provider" else agent
    units = sum(priced.units(each) for each in _served(at).elements())
    assert sum(row["amount"] for row in entries(at)) == units


def _booked(at: Bench) -> Counter[Counts]:
    return Counter(tuple(row.values())[6:] for row in entries(at))


def _served(at: Bench) -> Counter[Counts]:
    return Counter(apart(one) for one in at.model.good)
