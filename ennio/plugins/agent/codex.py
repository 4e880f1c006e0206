"""Codex: ``codex`` in its terminal, without the daemon that would outlive it."""

from __future__ import annotations

import heapq
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ennio.plugins.agent import flags
from ennio.plugins.agent.interface import Command, Desk
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.words import checked, fits

_RESERVED = ("no-daemon", "no-alt-screen", "model", "cd")
_LOOK_BACK = 2000  # rollouts, newest first; who has more has long forgotten the oldest


class Codex(ScreenAgent):
    """OpenAI's agent. It chooses the conversation's id itself; its rollout file for the workspace tells it."""

    name = "codex"
    executable = "codex"
    hint = "npm install -g @openai/codex"
    passes: tuple[str, ...] = ("OPENAI_API_KEY", "CODEX_API_KEY", "OPENAI_BASE_URL", "CODEX_HOME", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    place = re.compile(r"^\s*›(?:\s|$)", re.MULTILINE)
    dialog = re.compile(r"^\s*›\s*\d+\.|Press enter to (?:confirm|continue)", re.MULTILINE | re.IGNORECASE)
    busy = re.compile(r"esc to interrupt", re.IGNORECASE)

    def launch(self, desk: Desk, prompt: str) -> Command:
        """A new conversation."""
        return self._command(desk, (), (), checked(prompt))

    def resume(self, desk: Desk, message: str | None) -> Command:
        """The newest conversation held in the workspace; a new one when there never was any."""
        words = None if message is None else checked(message, "message")
        conversation = rollout_id(desk)
        return self._command(desk, ("resume",), (conversation,), words) if conversation else self._command(desk, (), (), words)

    def _command(self, desk: Desk, verb: tuple[str, ...], conversation: tuple[str, ...], words: str | None) -> Command:
        carries = words is not None and fits(words)
        given = (words,) if carries and words is not None else ()
        return Command(
            argv=(
                self.executable,
                *verb,
                *("--no-daemon", "--no-alt-screen"),
                *("-c", f'projects={{{_toml(str(desk.workspace))}={{trust_level="trusted"}}}}'),
                *(("-c", f"developer_instructions={_toml(desk.system)}") if desk.system else ()),
                *(("--model", desk.config.model) if desk.config.model else ()),
                *flags.of_permissions(desk.config.permissions, "--ask-for-approval"),
                *flags.of_passthrough(desk.config.passthrough, _RESERVED),
                *(("--", *conversation, *given) if conversation or given else ()),
            ),
            carries=carries,
        )


def rollout_id(desk: Desk) -> str | None:
    """The id of the newest conversation whose rollout names this workspace, or None."""
    for file in _rollouts(Path(os.environ.get("CODEX_HOME") or desk.home / ".codex") / "sessions"):
        found = _conversation(file, desk.workspace)
        if found:
            return found
    return None


def _rollouts(sessions: Path) -> Iterator[Path]:
    # the names begin with the time, so they sort by age without a look at the files
    return iter(heapq.nlargest(_LOOK_BACK, sessions.glob("*/*/*/rollout-*.jsonl"), key=lambda file: file.name))


def _conversation(file: Path, workspace: Path) -> str | None:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            first = json.loads(lines.readline(1 << 20))
    except (OSError, ValueError):
        return None
    meta = first.get("payload") if isinstance(first, dict) and first.get("type") == "session_meta" else None
    if not isinstance(meta, dict) or meta.get("cwd") != str(workspace):
        return None
    return meta["id"] if isinstance(meta.get("id"), str) else None


def _toml(text: str) -> str:
    # a JSON string is a TOML basic string but for DEL, which TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
