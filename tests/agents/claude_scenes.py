"""What happens in claude-code that a whole day does not show: helpers, forms, plans, views, and
conversations that a person changes.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.agents.bench import Bench, Scenes
from tests.agents.scenes import begins_another, begins_to_type, types, views, waits
from tests.conftest import eventually

HELPER = (
    ':use Agent {{"description": "looks around", "subagent_type": "general-purpose", '
    '"run_in_background": {behind}, "prompt": '
    '":helper one\\n:think {think}\\n:run sleep 1\\n:think {think}\\n:run sleep 1\\n:think '
    '{think}\\n:say looked"}}\n'
)
COLOURS = {"question": "Which colour?", "header": "Colour", "multiSelect": False}
FRUITS = {"question": "Which fruits are fine?", "header": "Fruits", "multiSelect": True}
PATIENCE = 40.0


def _options(*labels: str) -> dict[str, object]:
    return {"options": [{"label": label, "description": f"{label} it is"} for label in labels]}


FORM = json.dumps(
    {"questions": [COLOURS | _options("Red", "Blue"), FRUITS | _options("Apple", "Pear", "Fig")]}
)


def a_helper_at_work(at: Bench) -> None:
    """The turn is over while a helper works, which is told in words; and who is told
    something meanwhile takes it.
    """
    turns = at.model.turns()
    at.say(f"{HELPER.format(behind='true', think=6)}:say begun")
    at.ends_turns(turns + 1)
    at.rests()
    eventually(
        lambda: at.view()["helpers"] == 1 and "looks around" in (at.view()["detail"] or ""),
        30,
        f"{at.view()}",
    )
    at.say(":say heard meanwhile")
    eventually(
        lambda: at.delivered()[-1]["state"] == "delivered",
        30,
        "it is delivered while the helper works",
    )
    assert at.model.log[-1].helper or at.view()["helpers"] == 1
    at.ends_turns(
        turns + 4, PATIENCE
    )  # begun, heard, looked, and the agent's words when it learns of that
    at.rests()
    eventually(lambda: at.view()["helpers"] == 0, 30, "nobody is at work any more")


def a_helper_while_a_question_is_open(at: Bench) -> None:
    """It stays one question, told once, and it can be answered."""
    before = len(_flips(at))
    turns = at.model.turns()
    at.say(f"{HELPER.format(behind='true', think=3)}:ask touch asked.txt\n:say answered")
    at.becomes("waiting_input")
    at.mark("asked", "waiting_input")
    spent = _spent(at)
    eventually(lambda: at.model.turns() > turns, PATIENCE, "the helper is done")
    eventually(
        lambda: _spent(at) > spent,
        30,
        f"money goes on while a dialog hides claude's own count: {spent}, {_spent(at)}",
    )
    at.goes_on(2)
    assert "touch asked.txt" in at.view()["question"]
    at.mark("is being answered", "active", "waiting_input")
    at.answer("yes")
    at.ends_turns(turns + 2, PATIENCE)
    at.rests()
    at.mark("rests", "ready")
    assert [flip for flip in _flips(at)[before:] if flip == "waiting_input"] == ["waiting_input"], (
        _flips(at)[before:]
    )
    (Path(at.view()["workspace_path"]) / "asked.txt").unlink()


def a_helper_that_asks(at: Bench) -> None:
    """Its question is asked of a person, though the agent's own turn is over."""
    turns = at.model.turns()
    asks = r":helper two\n:think 3\n:ask touch helped.txt\n:say helped"
    at.say(
        f':use Agent {{"description": "asks", "subagent_type": "general-purpose", "prompt": '
        f'"{asks}"}}\n:say begun'
    )
    at.ends_turns(turns + 1)
    at.becomes("waiting_input")
    _asks(at, "may it use Bash: touch helped.txt", "1. Yes")
    at.goes_on(2)
    at.mark("is being answered", "active", "waiting_input", "ready")
    at.answer("yes")
    at.ends_turns(turns + 3, PATIENCE)
    at.rests()
    at.mark("rests", "ready")
    (Path(at.view()["workspace_path"]) / "helped.txt").unlink()


def a_helper_that_is_waited_for(at: Bench) -> None:
    turns = at.model.turns()
    at.say(f"{HELPER.format(behind='false', think=2)}:say found")
    at.becomes("active")
    at.ends_turns(turns + 2, PATIENCE)
    at.rests()


def a_form_of_several_questions(at: Bench) -> None:
    turns = at.model.turns()
    at.say(f":wait AskUserQuestion {FORM}\n:say chosen")
    at.becomes("waiting_input")
    _asks(at, "(1 of 2) Which colour?", "2. Blue")
    at.answer("blue")
    _asks(at, "(2 of 2) Which fruits are fine?", "3. [ ] Fig")
    at.answer("apple, fig")
    _asks(at, "Review your answers", "1. Submit answers")
    at.mark("is being answered", "active", "waiting_input", "ready")
    at.answer("yes")
    at.ends_turns(turns + 1)
    at.rests()
    at.mark("rests", "ready")
    at.shows("Apple, Fig")


def a_plan(at: Bench) -> None:
    turns = at.model.turns()
    _mode(at, "plan mode on")
    plan = json.dumps({"file_path": "$PLAN", "content": "# The plan\n\n1. do this\n2. do that\n"})
    search = json.dumps({"query": "select:ExitPlanMode", "max_results": 3})
    at.say(f":use ToolSearch {search}\n:use Write {plan}\n:wait ExitPlanMode {{}}\n:say planned")
    at.becomes("waiting_input")
    _asks(at, "may it go on with this plan: # The plan", "2. Yes, manually approve edits")
    at.mark("is being answered", "active", "waiting_input", "ready")
    at.answer("2")
    at.ends_turns(turns + 1)
    at.rests()
    at.mark("rests", "ready")


def a_new_conversation(at: Bench) -> None:
    """Its money is counted once, too."""
    before = _spent(at)
    begins_another(at, "/clear")
    eventually(
        lambda: before < _spent(at) < before + 0.03,
        30,
        f"counted once: {before}, {at.view()['usage']}",
    )


SCENES: Scenes = (
    ("helper while it asks", a_helper_while_a_question_is_open),
    ("clear and restore", a_new_conversation),
    ("helper at work", a_helper_at_work),
    ("helper asks", a_helper_that_asks),
    ("helper waited for", a_helper_that_is_waited_for),
    ("several questions", a_form_of_several_questions),
    ("plan", a_plan),
    ("transcript view", lambda at: views(at, ("C-o",), "detailed transcript", "C-o")),
    ("person types", types),
    ("half a line", begins_to_type),
    ("long tool", waits),
)


def _spent(at: Bench) -> float:
    return float(at.view()["usage"]["cost_usd"] or 0)


def _flips(at: Bench) -> list[str]:
    """Every activity it was told to have, in order."""
    return [
        str(event["data"]["to"])
        for event in at.house.events(session_id=at.session, type="activity_changed")
    ]


def _asks(at: Bench, *parts: str) -> None:
    eventually(
        lambda: all(part in (at.view()["question"] or "") for part in parts),
        30,
        f"{parts}: {at.view()['question']}\n{at.screen()}",
    )


def _mode(at: Bench, words: str) -> None:
    """Go round its modes until its foot shows this one."""

    def shown() -> bool:
        if words not in at.screen():
            at.presses("BTab")
        return words in at.screen()

    eventually(shown, 60, f"{words}: {at.screen()}")
