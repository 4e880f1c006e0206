"""Aider: ``aider`` in its terminal; its files stay out of the repository."""

from __future__ import annotations

import re

from ennio.plugins.agent import flags
from ennio.plugins.agent.interface import Command, Desk
from ennio.plugins.agent.screen import ScreenAgent, tail
from ennio.plugins.agent.words import checked

_QUIET = (
    "--no-check-update",
    "--no-show-model-warnings",
    "--no-show-release-notes",
    "--analytics-disable",
    "--no-detect-urls",
    "--disable-playwright",
    *("--map-tokens", "0"),
    "--no-gitignore",  # else it asks for a line in the repository's .gitignore
)
_RESERVED = ("message", "message-file", "chat-history-file", "input-history-file", "restore-chat-history", "model")


class Aider(ScreenAgent):
    """The pair programmer. Words on its command line would end it after them, so they are typed."""

    name = "aider"
    executable = "aider"
    hint = "python -m pip install aider-install && aider-install"
    passes: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_API_BASE",
        "OPENAI_BASE_URL",
        "DEEPSEEK_API_KEY",
        "GEMINI_API_KEY",
        "OPENROUTER_API_KEY",
        "OLLAMA_API_BASE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
    )
    dialog = re.compile(r"\(Y\)es/\(N\)o")

    def launch(self, desk: Desk, prompt: str) -> Command:
        """A new conversation; the prompt is checked here and typed when aider is ready."""
        checked(prompt)
        return self._command(desk, ())

    def resume(self, desk: Desk, message: str | None) -> Command:
        """The same conversation, restored from its history; the message is typed."""
        checked(message or "", "message")
        return self._command(desk, ("--restore-chat-history",))

    def takes_text(self, screen: str) -> bool:
        """Whether the last line is aider's prompt (``>``, ``diff>``, ``ask>`` ...) and nothing is asked."""
        end = tail(screen, 1)
        return bool(re.search(r"\A(?:[\w-]+ )*[\w-]*>\s*\Z", end)) and not self.dialog.search(end)

    def _command(self, desk: Desk, conversation: tuple[str, ...]) -> Command:
        rules = desk.directory / "system.md"
        return Command(
            argv=(
                self.executable,
                *_QUIET,
                *("--chat-history-file", str(desk.directory / "aider.chat.history.md")),
                *("--input-history-file", str(desk.directory / "aider.input.history")),
                *conversation,
                *(("--read", str(rules)) if desk.system else ()),
                *(("--model", desk.config.model) if desk.config.model else ()),
                *flags.of_permissions(desk.config.permissions, None),
                *flags.of_passthrough(desk.config.passthrough, _RESERVED),
            ),
            env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            files={rules: desk.system} if desk.system else {},
        )
