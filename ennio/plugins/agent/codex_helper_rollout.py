"""Agents that codex begins: each has a rollout of its own, which says when it is at work and what
it uses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ennio.model.usage import Billing, RequestUsage
from ennio.plugins.agent.agent_state import count, date_of, moment
from ennio.plugins.agent.codex_rollout import COUNTS, tier_of, tokens_of

MOST = 100
"""Of so many agents, the latest, is kept how far their rollouts were read."""


@dataclass(slots=True)
class HelperRollout:
    """What is known of an agent that it began: how far its rollout was read, since when it is heard
    of at work (0 while it rests), and what its requests ask for.
    """

    offset: int = 0
    works: float = 0.0
    model: str | None = None
    tier: str | None = None

    def take_in(
        self, entries: Iterable[Mapping[str, Any]], file: str, billing: Billing
    ) -> list[RequestUsage]:
        """Take in lines of its rollout; the requests that they tell of."""
        requests: list[RequestUsage] = []
        for entry in entries:
            payload = entry.get("payload")
            if not isinstance(payload, Mapping):
                continue
            self._works(payload, moment(entry))
            if entry.get("type") == "turn_context" and isinstance(payload.get("model"), str):
                self.model = payload["model"]
            if payload.get("type") == "thread_settings_applied":
                self.tier = tier_of(payload.get("thread_settings"))
            if entry.get("type") == "token_usage_record":
                requests += self._requests(payload, moment(entry) or 0.0, file, billing)
        return requests

    def _works(self, payload: Mapping[str, Any], at: float | None) -> None:
        told = payload.get("type")
        if told in ("task_complete", "turn_aborted"):
            self.works = 0.0
        elif told == "task_started" or self.works:
            self.works = at or self.works

    def _requests(
        self, payload: Mapping[str, Any], at: float, file: str, billing: Billing
    ) -> Iterator[RequestUsage]:
        """The request of a record; one that is named after another conversation was copied from
        that, as a helper that knows of it begins, and is told of there.
        """
        usage, sums = payload.get("usage"), payload.get("thread_token_usage")
        thread = payload.get("thread_id")
        if isinstance(thread, str) and thread and thread in file and isinstance(usage, Mapping):
            stands = sums if isinstance(sums, Mapping) else usage
            tokens = tokens_of({name: count(usage.get(name)) for name in COUNTS})
            if any(tokens.counts):
                name = f"{file}:{count(stands.get(COUNTS[0]))}:{count(stands.get(COUNTS[-1]))}"
                yield RequestUsage(
                    name, date_of(at), tokens, self.model, "openai", self.tier, billing=billing
                )


def kept(cursor: Mapping[str, str]) -> dict[str, HelperRollout]:
    """The agents that it began, by the path of their rollouts."""
    found = json.loads(cursor.get("helpers", "{}"))
    return {
        name: HelperRollout(**known) if isinstance(known, dict) else HelperRollout(*known)
        for name, known in found.items()  # earlier versions kept the first two in a list
    }


def keep(cursor: dict[str, str], helpers: Mapping[str, HelperRollout]) -> None:
    """Write them into the cursor."""
    if helpers:
        cursor["helpers"] = json.dumps({name: asdict(one) for name, one in helpers.items()})


def begun(known: Mapping[str, HelperRollout], files: Iterable[str]) -> dict[str, HelperRollout]:
    """The same with those whose rollouts were found; the oldest of many, which is kept no more, is
    not read from its beginning again.
    """
    forgotten = min(known, default="") if len(known) >= MOST else ""
    new = {file: HelperRollout() for file in files if file > forgotten}
    return dict(sorted((new | dict(known)).items())[-MOST:])
