"""Which conversations of claude-code belong to a session, and which of them is the present one.

It begins as the session's own. A person's ``/clear`` or ``/resume`` goes on in another, whose id
every hook tells from then on. Where hooks are switched off, the newest transcript of the
workspace is the present one.

    ~/.claude/projects/<workspace>/<conversation>.jsonl                    the transcript
    ~/.claude/projects/<workspace>/<conversation>/subagents/agent-*.jsonl  those of its helpers
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.plugins.agent import jsonl
from ennio.plugins.agent.agent_state import moment
from ennio.plugins.agent.interface import AgentContext

HOOKS = "hooks.jsonl"
_SIDE = "*.jsonl"
# seconds that what belongs to a new conversation may be older than the hook that tells of it
_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Followed:
    """The conversations of a session, oldest first: each with the moment from which on it is the
    session's. The last is the present one.
    """

    since: dict[str, float]

    @property
    def present(self) -> str:
        """The id of the present one."""
        return next(reversed(self.since))

    @classmethod
    def of(cls, text: str | None, context: AgentContext) -> Followed:
        """Those kept in a cursor, at first the session's own."""
        try:
            kept = {str(name): float(at) for name, at in json.loads(text or "{}").items()}
        except (ValueError, TypeError, AttributeError):
            kept = {}
        return cls(kept or {context.conversation: 0.0})

    def as_text(self) -> str:
        """The conversations for a cursor."""
        return json.dumps(self.since)

    def on(self, hooks: Iterable[Mapping[str, Any]]) -> Followed:
        """With what these hooks tell; a helper is part of the conversation that began it."""
        since = dict(self.since)
        for hook in hooks:
            name = told(hook)
            if name is not None and name != next(reversed(since)):
                at = since.pop(name, None)
                since[name] = max((moment(hook, "t") or 0.0) - _GRACE, 0.0) if at is None else at
        return Followed(since)

    def now(self, name: str | None) -> Followed:
        """With this as the present one."""
        return self if name is None else self.on([{"session_id": name}])


def told(hook: Mapping[str, Any]) -> str | None:
    """The conversation that a hook tells of."""
    name = hook.get("session_id")
    return (
        name
        if isinstance(name, str)
        and name
        and not hook.get("agent_id")
        and hook.get("hook_event_name") != "SessionEnd"
        else None
    )


def present(context: AgentContext) -> str:
    """The present conversation, as far as it was ever told. Raises OSError."""
    names = [
        name for hook in jsonl.ending(context.directory / HOOKS) if (name := told(hook)) is not None
    ]
    return names[-1] if names else newest(context) or context.conversation


def newest(context: AgentContext) -> str | None:
    """The conversation that was written to last where the session's own lies. Raises OSError."""
    own = transcript(context, context.conversation)
    if own is None:
        return None
    found: list[tuple[float, str]] = []
    for file in own.parent.glob(_SIDE):
        try:
            found.append((file.stat().st_mtime, file.stem))
        except OSError:
            continue
    return max(found)[1] if found else None


def transcript(context: AgentContext, conversation: str) -> Path | None:
    """The file of a conversation; its folder's name comes from the workspace in a way that
    changed between versions.

    Raises OSError when nobody can say whether it is there.
    """
    projects = settings_home(context, ".claude") / "projects"
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.scandir(projects).close()  # what globs cannot read they take for empty
    return next(iter(sorted(projects.glob(f"*/{conversation}.jsonl"))), None)


def sides(file: Path) -> Path:
    """Where the conversations of its helpers lie."""
    return file.with_suffix("") / "subagents"


def with_sides(file: Path) -> list[tuple[str, Path]]:
    """A transcript (``line``) and those of its helpers (``side``)."""
    return [("line", file), *(("side", side) for side in sorted(sides(file).glob(_SIDE)))]


def settings_home(context: AgentContext, usual: str = "") -> Path:
    """Where it keeps its files: ``CLAUDE_CONFIG_DIR`` holds all, else they lie in the
    home and in ``~/.claude``.
    """
    configured = os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(configured).expanduser() if configured else context.home / usual
