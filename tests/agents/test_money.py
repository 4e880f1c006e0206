"""A model that nobody knows the price of. What real agents used of others is held against the books
in their days (``books.py``).
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.agents.bench import PATIENCE, bench, claude_home, installed
from tests.agents.books import entries
from tests.conftest import eventually


def test_a_model_that_nobody_knows_is_unknown_whatever_claude_itself_reckons(
    tmp_path: Path,
) -> None:
    config = {"permissions": "default", "model": "claude-unheard-of-9"}
    with bench(tmp_path, installed("claude"), "claude-code", config, claude_home) as at:
        at.spawn(":say one")
        at.ends_turns(1, PATIENCE)
        eventually(lambda: len(entries(at)) == 1, 30, "the request is in the books")
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
