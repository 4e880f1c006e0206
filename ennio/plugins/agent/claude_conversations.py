"""Which conversations of claude-code belong to a session, and which of them is the present one.

It begins as the session's own. A person's ``/clear`` or ``/resume`` goes on in another, whose id
every hook tells from then on. Where hooks are switched off, the newest transcript of the
workspace is the present one.

    ~/.claude/projects/<workspace>/<conversation>.jsonl                    the transcript
    ~/.claude/projects/<workspace>/<conversation>/subagents/agent-*.jsonl  those of its helpers
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.interface import FileState, Machine
from ennio.model.errors import Unreachable
from ennio.plugins.agent import hook_script
from ennio.plugins.agent.agent_state import moment
from ennio.plugins.agent.interface import AgentContext

HOOKS = "hooks.jsonl"
_SIDE = ".jsonl"
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
        name
        for hook in hook_script.ending(context.machine, context.directory / HOOKS)
        if (name := told(hook)) is not None
    ]
    return names[-1] if names else newest(context) or context.conversation


def resumable(context: AgentContext) -> tuple[str, bool]:
    """The present conversation, and whether it ever began. Raises Unreachable."""
    try:
        conversation = present(context)
        return conversation, transcript(context, conversation) is not None
    except OSError as error:
        raise Unreachable(
            f"which conversation to go on with cannot be read just now: {error}"
        ) from error


def newest(context: AgentContext) -> str | None:
    """The conversation that was written to last where the session's own lies. Raises OSError."""
    own = transcript(context, context.conversation)
    if own is None:
        return None
    files = _transcripts_in(context.machine, own.parent)
    states = zip(files, context.machine.stat(files), strict=True)
    found = [(state.modified, file.stem) for file, state in states if isinstance(state, FileState)]
    return max(found)[1] if found else None


def transcript(context: AgentContext, conversation: str) -> Path | None:
    """The file of a conversation; its folder's name comes from the workspace in a way that
    changed between versions.

    Raises OSError when nobody can say whether it is there.
    """
    projects = settings_home(context, ".claude") / "projects"
    if "/" in conversation:
        return None  # whoever calls it so, it is no file there
    try:
        names = sorted(context.machine.list(projects))
    except (FileNotFoundError, NotADirectoryError):
        return None
    files = [projects / name / f"{conversation}.jsonl" for name in names]
    states = zip(files, context.machine.stat(files), strict=True)
    return next((file for file, state in states if isinstance(state, FileState)), None)


def sides(file: Path) -> Path:
    """Where the conversations of its helpers lie."""
    return file.with_suffix("") / "subagents"


def with_sides(machine: Machine, file: Path) -> list[tuple[str, Path]]:
    """A transcript (``line``) and those of its helpers (``side``)."""
    return [("line", file), *(("side", side) for side in _transcripts_in(machine, sides(file)))]


def _transcripts_in(machine: Machine, folder: Path) -> list[Path]:
    try:
        return sorted(folder / name for name in machine.list(folder) if name.endswith(_SIDE))
    except OSError:
        return []


def settings_home(context: AgentContext, usual: str = "") -> Path:
    """Where it keeps its files: ``CLAUDE_CONFIG_DIR`` holds all, else they lie in the
    home and in ``~/.claude``.
    """
    configured = context.machine.environ.get("CLAUDE_CONFIG_DIR")
    return single.expanded(context.machine, configured) if configured else context.home / usual


def settings_file(context: AgentContext) -> Path:
    """Its settings, and what it knows of folders."""
    return settings_home(context) / ".claude.json"
