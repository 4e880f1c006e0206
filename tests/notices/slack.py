"""Slack's side of an incoming webhook: judges messages as Slack's own library does, and answers like Slack."""

from __future__ import annotations

from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from tests.notices.hook_server import Told

_MOST_BLOCKS, _MOST_TEXT = 50, 40_000


def judge(told: Told) -> str | None:
    """What Slack would answer 400 with, or None for a message that it takes."""
    body = told.body
    if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
        return "no_text"
    if len(body.get("text", "")) > _MOST_TEXT:
        return "msg_too_long"
    blocks = body.get("blocks", [])
    if len(blocks) > _MOST_BLOCKS or any(_wrong(block) for block in blocks):
        return "invalid_blocks"
    return None


def _wrong(block: dict[str, Any]) -> bool:
    made = Block.parse(block)
    if made is None:
        return True
    try:
        made.validate_json()
        for part in (*getattr(made, "elements", ()), getattr(made, "text", None)):
            if hasattr(part, "validate_json"):
                part.validate_json()
    except SlackObjectFormationError:
        return True
    return bool(made.to_dict().keys() - block.keys() - {"block_id"})
