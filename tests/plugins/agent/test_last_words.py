"""The words with which an agent ended its last turn, out of what it writes down."""

from __future__ import annotations

from typing import Any

from ennio.model.review_pack import LONGEST_WORDS
from ennio.plugins.agent.last_words import of_claude, of_codex


def _claude(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"content": list(parts)}} | more


def test_claude_is_quoted_whole_and_not_its_helpers_or_tools() -> None:
    lines = [
        _claude({"type": "text", "text": "First"}),
        _claude({"type": "text", "text": "Done.\n\n![shot](a.png)"}),
        _claude({"type": "tool_use", "name": "Bash"}),
        _claude({"type": "text", "text": "a helper's"}, isSidechain=True),
        {"type": "user", "message": {"content": "thanks"}},
    ]
    assert of_claude(lines, []) == "Done.\n\n![shot](a.png)"


def test_where_there_is_no_conversation_the_hooks_are_asked() -> None:
    hooks = [
        {"hook_event_name": "Stop", "last_assistant_message": "Done"},
        {"hook_event_name": "SubagentStop", "agent_id": "x", "last_assistant_message": "helped"},
    ]
    assert of_claude([], hooks) == "Done"
    assert of_claude([], []) is None


def test_codex_is_quoted_by_the_ends_of_its_turns() -> None:
    end = {"type": "task_complete", "last_agent_message": "One\nTwo"}
    assert of_codex([{"type": "event_msg", "payload": end}, {"type": "event_msg"}]) == "One\nTwo"
    assert of_codex([]) is None


def test_what_is_no_such_line_says_nothing_and_what_is_long_is_cut() -> None:
    odd = [{"type": "assistant"}, {"type": "assistant", "message": {"content": "x"}}]
    odd.append({"type": "assistant", "message": {"content": [{"type": "text", "text": 7}, 3]}})
    assert of_claude(odd, [{"last_assistant_message": 3}]) is None
    assert len(of_claude([_claude({"type": "text", "text": "x" * 99_999})], []) or "") == (
        LONGEST_WORDS
    )
