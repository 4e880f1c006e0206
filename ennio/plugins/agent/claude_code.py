"""Claude Code: ``claude`` in its terminal, one conversation id over all its starts."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from ennio.plugins.agent import flags
from ennio.plugins.agent.claude_trust import trust
from ennio.plugins.agent.interface import Command, Desk
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.words import checked, fits

_BYPASS = "--dangerously-skip-permissions"
_RESERVED = ("session-id", "resume", "continue", "settings", "append-system-prompt", "model", "permission-mode")


class ClaudeCode(ScreenAgent):
    """Anthropic's agent. The environment it gets is ours: no ``CLAUDE*`` of a surrounding session is passed on."""

    name = "claude-code"
    executable = "claude"
    hint = "npm install -g @anthropic-ai/claude-code"
    passes: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "ANTHROPIC_SMALL_FAST_MODEL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        "IS_SANDBOX",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "NODE_EXTRA_CA_CERTS",
    )
    place = re.compile(r"^\s*[│|]?\s*[❯>](?:\s|$)", re.MULTILINE)
    dialog = re.compile(r"^\s*[│|]?\s*❯\s*\d+\.|Enter to confirm|Esc to cancel", re.MULTILINE)
    busy = re.compile(r"esc to interrupt", re.IGNORECASE)

    def prepare(self, desk: Desk) -> None:
        """Settle trust in the workspace, which is always a folder it has not seen."""
        trust(_settings_home(desk) / ".claude.json", desk.workspace)

    def launch(self, desk: Desk, prompt: str) -> Command:
        """A new conversation under the desk's id."""
        return self._command(desk, ("--session-id", desk.conversation), checked(prompt))

    def resume(self, desk: Desk, message: str | None) -> Command:
        """The same conversation; the permissions are given again, for it forgets them.

        A conversation that never began cannot be resumed: it begins now, under the same id.
        """
        begun = any((_settings_home(desk, ".claude") / "projects").glob(f"*/{desk.conversation}.jsonl"))
        words = None if message is None else checked(message, "message")
        return self._command(desk, ("--resume" if begun else "--session-id", desk.conversation), words)

    def _command(self, desk: Desk, conversation: tuple[str, ...], words: str | None) -> Command:
        settings = desk.directory / "claude-settings.json"
        carries = words is not None and fits(words)
        return Command(
            argv=(
                self.executable,
                *conversation,
                *("--settings", str(settings)),
                *(("--append-system-prompt", desk.system) if desk.system else ()),
                *(("--model", desk.config.model) if desk.config.model else ()),
                *self._permissions(desk),
                *flags.of_passthrough(desk.config.passthrough, _RESERVED),
                *(("--", words) if carries and words is not None else ()),
            ),
            env={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"},
            files={settings: json.dumps(self._settings(desk))},
            carries=carries,
        )

    def _permissions(self, desk: Desk) -> tuple[str, ...]:
        return flags.of_permissions(desk.config.permissions, "--permission-mode")

    def _settings(self, desk: Desk) -> dict[str, object]:
        # whoever wrote the flag into the configuration has read the warning
        return {"skipDangerousModePermissionPrompt": True} if _BYPASS in self._permissions(desk) else {}


def _settings_home(desk: Desk, usual: str = "") -> Path:
    """Where it keeps its files: ``CLAUDE_CONFIG_DIR`` holds all, else they lie in the home and in ``~/.claude``."""
    configured = os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(configured).expanduser() if configured else desk.home / usual
