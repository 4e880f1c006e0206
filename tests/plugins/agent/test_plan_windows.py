"""What agents tell of their plans, in lines as they write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.session import Activity
from ennio.plugins.agent import (
    claude_limits,
    claude_parser,
    codex_limits,
    codex_rollout,
    plan_windows,
)
from ennio.plugins.agent.agent_state import AgentState
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.claude_cost import ClaudeCost
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.screen_state import screen_state

SAID = 1_795_738_794.0
RESET, WEEK = 1_795_742_792, 1_796_138_792
HIT = "You've hit your 5-hour limit · resets 1:26am (UTC)"


def _claude(words: str = HIT, **info: Any) -> dict[str, Any]:
    """A line of claude-code 2.1.329 whose plan is used up."""
    entry = {
        "type": "assistant",
        "message": {"model": "<synthetic>", "content": [{"type": "text", "text": words}]},
        "error": "rate_limit",
        "isApiErrorMessage": True,
        "apiErrorStatus": 429,
    }
    if info:
        entry["apiError"] = "usage_limit_reached"
        entry["apiErrorParams"] = {"rate_limit_info": info}
    return entry


REJECTED = {"status": "rejected", "resetsAt": RESET, "rateLimitType": "five_hour"}
COUNT = {
    "type": "token_count",
    "info": None,
    "rate_limits": {
        "limit_id": "codex",
        "primary": {"used_percent": 100.0, "window_minutes": 300, "resets_at": RESET},
        "secondary": {"used_percent": 41.0, "window_minutes": 10080, "resets_at": WEEK},
        "plan_type": "plus",
    },
}
COMPLETE = {
    "type": "task_complete",
    "error": {
        "message": "You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), "
        "visit https://chatgpt.com/settings/usage to purchase more credits or try again in 2 hours.",
        "codex_error_info": "usage_limit_exceeded",
    },
}


def _refused(kept: plan_windows.Kept) -> dict[str, float | None]:
    return {
        window.name: window.resets_at and window.resets_at.timestamp()
        for window in plan_windows.facts(kept)
        if window.used_up
    }


def test_claude_tells_the_window_and_its_reset_in_fields() -> None:
    kept: plan_windows.Kept = {}
    claude_limits.refused(kept, _claude(**REJECTED), SAID)
    assert _refused(kept) == {"five_hour": RESET}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (HIT, "five_hour"),
        ("You've hit your session limit · resets 1:26am (UTC)", "five_hour"),
        ("5-hour limit reached ∙ resets 1:26am (UTC)", "five_hour"),
        ("You’ve hit your weekly limit · resets 1:26am (UTC) · progress saved", "weekly"),
        ("Weekly limit reached ∙ resets 1:26am (UTC)", "weekly"),
        ("You've hit your Opus limit · resets 1:26am (UTC)", "weekly_opus"),
        (f"Claude AI usage limit reached|{RESET}", "plan"),
    ],
)
def test_other_versions_of_claude_tell_it_in_words(words: str, name: str) -> None:
    kept: plan_windows.Kept = {}
    claude_limits.refused(kept, _claude(words), SAID)
    (told,) = _refused(kept).items()
    assert told[0] == name
    assert told[1] is not None
    assert abs(told[1] - RESET) < 60


def test_the_second_that_the_status_line_told_goes_before_the_minute_in_the_words() -> None:
    kept: plan_windows.Kept = {}
    known = {"five_hour": {"used_percentage": 97, "resets_at": RESET}, "spend_limit": {}}
    claude_limits.tell(kept, known | {"seven_day": {"used_percentage": 41.5, "resets_at": WEEK}})
    assert [(w.name, w.used_percent) for w in plan_windows.facts(kept)] == [
        ("five_hour", 97),
        ("weekly", 41.5),
    ]
    claude_limits.refused(kept, _claude(), SAID)
    assert _refused(kept) == {"five_hour": RESET}


@pytest.mark.parametrize(
    "entry",
    [
        _claude("API Error: Request rejected (429) · This request would exceed your limit."),
        _claude("You've hit your fast limit · resets 3pm"),
        _claude("Context limit reached · /compact or /clear to continue"),
        _claude("API Error: 529 overloaded"),
        {**_claude(), "isApiErrorMessage": False},
        {"type": "assistant", "isApiErrorMessage": True, "message": None},
        _claude(HIT.replace("You", "He said: You")),
        _claude("...", status="allowed_warning", rateLimitType="five_hour"),
    ],
)
def test_what_is_no_used_up_window_of_claude_parks_nobody(entry: Mapping[str, Any]) -> None:
    kept: plan_windows.Kept = {}
    claude_limits.refused(kept, entry, SAID)
    assert _refused(kept) == {}


def test_codex_tells_its_windows_and_the_one_that_is_full_is_the_one_it_was_refused_for() -> None:
    kept: plan_windows.Kept = {}
    codex_limits.apply(kept, COUNT, SAID)
    assert _refused(kept) == {}
    codex_limits.apply(kept, COMPLETE, SAID + 1)
    assert _refused(kept) == {"five_hour": RESET}
    assert {w.name: (w.used_percent, w.account) for w in plan_windows.facts(kept)} == {
        "five_hour": (100, "plus"),
        "weekly": (41, "plus"),
    }


def test_codex_that_tells_no_windows_tells_the_hour_in_words() -> None:
    kept: plan_windows.Kept = {}
    codex_limits.apply(kept, COMPLETE, SAID)
    assert _refused(kept) == {"plan": SAID + 7200}
    codex_limits.apply(kept, {"type": "task_complete", "error": {"message": "no network"}}, SAID)
    assert list(kept) == ["plan"]


def test_older_versions_of_codex_tell_the_seconds_that_are_left() -> None:
    kept: plan_windows.Kept = {}
    window = {"used_percent": 12.0, "window_minutes": 60, "resets_in_seconds": 90}
    limits = {"primary": window, "secondary": None}
    codex_limits.apply(kept, {"type": "token_count", "rate_limits": limits}, SAID)
    (told,) = plan_windows.facts(kept)
    assert (told.name, told.resets_at) == (
        "60_minutes",
        datetime.fromtimestamp(SAID + 90, UTC),
    )


def test_a_refusal_ends_once_the_agent_works_again_and_not_by_what_was_before() -> None:
    state = AgentState()
    plan_windows.refuse(state.windows, "five_hour", SAID, resets_at=RESET)
    state.report(Activity.ACTIVE, SAID - 1)
    state.report(Activity.READY, SAID + 1)
    assert _refused(state.windows) == {"five_hour": RESET}
    again = AgentState.of(state.as_text())
    assert _refused(again.windows) == {"five_hour": RESET}
    again.report(Activity.ACTIVE, SAID + 2)
    assert _refused(again.windows) == {}


def test_a_reset_of_the_window_before_is_none_of_the_one_that_is_used_up_now() -> None:
    kept: plan_windows.Kept = {}
    plan_windows.tell(kept, "five_hour", used=3, resets_at=SAID - 4000)
    plan_windows.refuse(kept, "five_hour", SAID)
    assert _refused(kept) == {"five_hour": None}


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.dictionaries(
        st.sampled_from(["five_hour", "primary", "used_percent", "resets_at", "used_percentage"])
        | st.text(max_size=3),
        inner,
        max_size=3,
    ),
    max_leaves=8,
)


@given(_ANYTHING, _ANYTHING, st.text(max_size=60))
def test_whatever_they_write_there_is_a_reading(one: Any, other: Any, words: str) -> None:
    kept: plan_windows.Kept = {}
    claude_limits.tell(kept, one if isinstance(one, dict) else {})
    claude_limits.refused(kept, _claude(words, status=one, resetsAt=other, rateLimitType=one), SAID)
    codex_limits.apply(kept, {"type": "token_count", "rate_limits": one}, SAID)
    codex_limits.apply(kept, {"type": "task_complete", "error": {"message": words}}, SAID)
    state = AgentState(windows=kept)
    assert plan_windows.facts(AgentState.of(state.as_text()).windows) == plan_windows.facts(kept)


OFFER = """\
■ You’ve hit your usage limit. Visit https://chatgpt.com/settings/usage or try again at 12:26 AM.


  Approaching rate limits
  Switch to gpt-6-luna for lower credit usage?


› 1. Switch to gpt-6-luna                   Fast and affordable model for easier tasks.
  2. Keep current model
  3. Keep current model (never show again)  Hide future rate limit reminders about switching models

  enter select · esc back


"""


def test_an_offer_of_codex_is_no_question_of_its_work_and_no_place_to_type() -> None:
    codex = Codex()
    assert codex.offers(OFFER)
    assert not codex.is_ready_for_text(OFFER)
    shown = screen_state(codex, OFFER, codex.trouble)
    assert shown is not None
    assert shown.activity is Activity.READY
    asked = OFFER.replace("Approaching rate limits", "Would you like to run it?")
    assert not codex.offers(asked)
    done = OFFER[: OFFER.index("  Approaching")] + "› Ask Codex to do anything\n\n  gpt · /w\n"
    assert not codex.offers(done)


WAITS = """\
❯ go on with the second part
  ⎿  You've hit your 5-hour limit · resets 3:33am (UTC)

  What do you want to do?

  ❯ 1. Stop and wait for limit to reset
    2. Wait here, then continue automatically at 3:33am
    3. Upgrade your plan

  Enter to confirm · Esc to cancel

"""


def test_an_offer_of_claude_to_wait_is_no_question_of_its_work_and_no_place_to_type() -> None:
    claude = ClaudeCode()
    assert claude.offers(WAITS)
    assert not claude.is_ready_for_text(WAITS)
    shown = screen_state(claude, WAITS, claude.trouble)
    assert shown is not None
    assert shown.activity is Activity.READY
    asked = WAITS.replace("Stop and wait for limit to reset", "Yes, and go on")
    assert not claude.offers(asked)
    quoted = f"{WAITS}\n  Do you want to proceed?\n  ❯ 1. Yes\n    2. No\n\n  Esc to cancel\n"
    assert not claude.offers(quoted)


def _claude_state(*lines: tuple[str, dict[str, Any]]) -> Activity | None:
    state, money = AgentState(), ClaudeCost.of(None)
    for kind, line in lines:
        claude_parser.apply(state, money, kind, line, 1)
    return Activity(state.reported) if state.reported else None


def test_a_turn_that_the_plan_ends_is_over_before_any_hook_says_so() -> None:
    """The line of the refusal is there first: whoever looks in between sees no work."""
    began = {"t": SAID - 1, "launch": "1", "hook_event_name": "UserPromptSubmit", "prompt": "go"}
    line = _claude() | {"timestamp": SAID}
    assert _claude_state(("hook", began), ("line", line)) is Activity.READY
    assert _claude_state(("hook", began), ("side", line)) is Activity.ACTIVE
    aside = line | {"isSidechain": True}
    assert _claude_state(("hook", began), ("line", aside)) is Activity.ACTIVE
    again = began | {"t": SAID + 1}
    assert _claude_state(("line", line), ("hook", again)) is Activity.ACTIVE
    state = AgentState()
    failed = {"type": "error"} | COMPLETE["error"]
    for at, payload in ((SAID - 1, {"type": "task_started"}), (SAID, failed)):
        entry = {"type": "event_msg", "timestamp": at, "payload": payload}
        codex_rollout.apply(state, entry, {}, "file")
    assert state.reported == Activity.READY
