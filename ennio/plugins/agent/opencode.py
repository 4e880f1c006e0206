"""OpenCode: ``opencode`` in its terminal."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from pathlib import Path

from ennio.plugins.agent import flags
from ennio.plugins.agent.interface import Command, Desk
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.words import checked, fits

_RESERVED = ("prompt", "session", "continue", "model")


class OpenCode(ScreenAgent):
    """The open-source agent. Keys typed while it starts are lost, so its words go on the command line."""

    name = "opencode"
    executable = "opencode"
    hint = "npm install -g opencode-ai"
    passes: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "GEMINI_API_KEY",
        "GOOGLE_GENERATIVE_AI_API_KEY",
        "OPENROUTER_API_KEY",
        "OPENCODE_API_KEY",
        "OPENCODE_CONFIG",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
    )
    place = re.compile(r"Ask anything|ctrl\+p commands|enter send", re.IGNORECASE)
    dialog = re.compile(r"Permission required|Allow once|Allow always", re.IGNORECASE)
    busy = re.compile(r"esc (?:to )?interrupt", re.IGNORECASE)

    def launch(self, desk: Desk, prompt: str) -> Command:
        """A new conversation."""
        return self._command(desk, None, checked(prompt))

    def resume(self, desk: Desk, message: str | None) -> Command:
        """The newest conversation held in the workspace; a new one when there never was any.

        ``--continue`` would not do: it takes the newest of the whole repository, another session's.
        """
        return self._command(desk, session_id(desk), None if message is None else checked(message, "message"))

    def _command(self, desk: Desk, conversation: str | None, words: str | None) -> Command:
        rules = desk.directory / "system.md"
        carries = words is not None and fits(words)
        return Command(
            argv=(
                self.executable,
                *(("--session", conversation) if conversation else ()),
                *(("--model", desk.config.model) if desk.config.model else ()),
                *flags.of_permissions(desk.config.permissions, None),
                *flags.of_passthrough(desk.config.passthrough, _RESERVED),
                # joined, for words may begin with a dash
                *((f"--prompt={words}",) if carries else ()),
            ),
            env={
                "OPENCODE_DISABLE_AUTOUPDATE": "1",
                "OPENCODE_DISABLE_MODELS_FETCH": "1",
                "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
                **({"OPENCODE_CONFIG_CONTENT": json.dumps({"instructions": [str(rules)]})} if desk.system else {}),
            },
            files={rules: desk.system} if desk.system else {},
            carries=carries,
        )


def session_id(desk: Desk) -> str | None:
    """The id of the newest conversation in this workspace, from the agent's own database, or None."""
    file = Path(os.environ.get("XDG_DATA_HOME") or desk.home / ".local/share") / "opencode" / "opencode.db"
    query = "SELECT id FROM session WHERE directory = ? AND parent_id IS NULL ORDER BY time_updated DESC LIMIT 1"
    if not file.exists():
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=2.0)) as database:
            row = database.execute(query, (str(desk.workspace),)).fetchone()
    except sqlite3.Error:
        return None
    return row[0] if row and isinstance(row[0], str) else None
