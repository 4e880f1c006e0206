"""A window of a plan that is used up, as the providers refuse requests then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UsedUp:
    """The five hours are used up until then (seconds since the epoch); of the week a part is."""

    resets_at: int
    week_resets_at: int
    week_percent: int = 41

    def refusal(self, api: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The answer to a request, and its headers."""
        return self._anthropic() if api == "messages" else self._openai()

    def _anthropic(self) -> tuple[dict[str, Any], dict[str, str]]:
        error = {"type": "rate_limit_error", "message": "This request would exceed your limit."}
        until, unified = str(self.resets_at), "anthropic-ratelimit-unified"
        headers = {
            f"{unified}-status": "rejected",
            f"{unified}-reset": until,
            f"{unified}-representative-claim": "five_hour",
            f"{unified}-5h-status": "rejected",
            f"{unified}-5h-reset": until,
            f"{unified}-5h-utilization": "1.0",
            f"{unified}-7d-status": "allowed",
            f"{unified}-7d-reset": str(self.week_resets_at),
            f"{unified}-7d-utilization": str(self.week_percent / 100),
            f"{unified}-overage-status": "rejected",
            f"{unified}-overage-disabled-reason": "org_level_disabled",
            "x-should-retry": "false",
        }
        return {"type": "error", "error": error}, headers

    def _openai(self) -> tuple[dict[str, Any], dict[str, str]]:
        error = {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": "plus",
            "resets_at": self.resets_at,
        }
        headers = {
            "x-codex-primary-used-percent": "100.0",
            "x-codex-primary-window-minutes": "300",
            "x-codex-primary-reset-at": str(self.resets_at),
            "x-codex-secondary-used-percent": str(float(self.week_percent)),
            "x-codex-secondary-window-minutes": "10080",
            "x-codex-secondary-reset-at": str(self.week_resets_at),
        }
        return {"error": error}, headers
