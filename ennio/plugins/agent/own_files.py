"""What the agents keep in a person's home, as far as a sandbox needs it.

What an agent obeys (settings, hooks, commands, its program) can be read, never written: the same
agent would obey it outside, too. Of what it writes down of its conversations only those of this
working copy are there.
"""

from __future__ import annotations

import re
from pathlib import Path

from ennio.machine.interface import Machine
from ennio.plugins.agent.interface import OwnFile

_CLAUDE_READS = (
    "settings.json", "CLAUDE.md", "agents", "commands", "skills", "plugins", "output-styles",
)  # fmt: skip
_CODEX_READS = ("config.toml", "AGENTS.md", "prompts", "rules", "skills")


class ClaudeFiles:
    """Those of claude-code: its login and settings, and the conversations in this working copy."""

    def own_files(self, machine: Machine, workspace: Path) -> tuple[OwnFile, ...]:
        """See ``KeepsFiles``."""
        named = machine.environ.get("CLAUDE_CONFIG_DIR")
        top = Path(named) if named else machine.home / ".claude"
        settings = (top if named else machine.home) / ".claude.json"
        slug = re.sub(r"[^A-Za-z0-9]", "-", str(workspace))
        return (
            *(OwnFile(top / name) for name in _CLAUDE_READS),
            OwnFile(top / ".credentials.json", writable=True),  # it renews its login
            OwnFile(settings),
            OwnFile(settings.with_name(f"{settings.name}.lock"), hidden=True),
            OwnFile(machine.home / ".local" / "share" / "claude"),
            OwnFile(top / "projects" / slug, writable=True, folder=True),
        )


class CodexFiles:
    """Those of codex: its login and settings, and its conversations, which it sorts by date."""

    def own_files(self, machine: Machine, workspace: Path) -> tuple[OwnFile, ...]:
        """See ``KeepsFiles``."""
        del workspace
        top = Path(machine.environ.get("CODEX_HOME") or machine.home / ".codex")
        return (
            *(OwnFile(top / name) for name in _CODEX_READS),
            OwnFile(top / "auth.json", writable=True),
            OwnFile(top / "sessions", writable=True, folder=True),
        )
