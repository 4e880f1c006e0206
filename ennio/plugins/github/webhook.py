"""What GitHub sends when something happened: whether it is really from there,
and what it is about. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]
_MOST = 100


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something in a repository worth a look: at a pull request, or at a branch or commit."""

    repository: str
    number: int | None = None
    ref: str | None = None


def is_signed(raw: bytes, signature: str | None, secret: str) -> bool:
    """Whether the ``X-Hub-Signature-256`` of a body was made with the secret."""
    expected = f"sha256={hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}"
    return hmac.compare_digest((signature or "").encode("utf-8", "replace"), expected.encode())


def happenings(event: str, payload: Payload) -> tuple[WebhookEvent, ...]:
    """What a delivery is about; nothing for events that say nothing of pull requests."""
    repository = _part(payload, "repository").get("full_name")
    if not isinstance(repository, str):
        return ()
    numbers, refs = _about(event, payload)
    if len(numbers) > _MOST:
        return (WebhookEvent(repository),)  # to look at all is less than to look for each
    if numbers:
        return tuple(WebhookEvent(repository, number=number) for number in sorted(numbers))
    return tuple(WebhookEvent(repository, ref=ref) for ref in sorted(refs))


def _about(event: str, payload: Payload) -> tuple[set[int], set[str]]:
    match event:
        case (
            "pull_request"
            | "pull_request_review"
            | "pull_request_review_comment"
            | "pull_request_review_thread"
        ):
            pull = _part(payload, "pull_request")
            # the branch too: the first pull request of a branch is known to nobody by its number
            known = payload.get("action") != "opened"
            return _numbers([pull]) if known else set(), {str(_part(pull, "head").get("ref"))}
        case "issue_comment":
            issue = _part(payload, "issue")
            return (_numbers([issue]) if "pull_request" in issue else set()), set()
        case "check_run" | "check_suite" | "workflow_run" | "workflow_job":
            run = _part(payload, event)
            return _numbers(run.get("pull_requests") or ()), _texts(run, "head_sha", "head_branch")
        case "status":
            return set(), _texts(payload, "sha")
        case "push":
            return set(), {str(payload.get("ref", "")).removeprefix("refs/heads/")}
    return set(), set()


def _part(payload: Payload, key: str) -> Payload:
    found = payload.get(key)
    return found if isinstance(found, Mapping) else {}


def _numbers(items: Any) -> set[int]:
    items = items if isinstance(items, list) else []
    return {
        item["number"]
        for item in items
        if isinstance(item, Mapping) and isinstance(item.get("number"), int)
    }


def _texts(payload: Payload, *keys: str) -> set[str]:
    return {payload[key] for key in keys if isinstance(payload.get(key), str)}
