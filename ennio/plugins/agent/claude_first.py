"""The first start of claude-code on a machine, settled for one session and for nobody else.

It asks for a theme and a login, whether a key from the environment may be used, and offline it ends
at once. ``IS_DEMO`` skips all of that and writes nothing down, so the person's own first start
stays theirs; a key that nobody approved is then taken from a helper only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from ennio.machine.interface import Machine
from ennio.machine.sandbox.confined import ConfinedMachine
from ennio.model.errors import Refused
from ennio.plugins.agent.claude_trust import read

_KEY = "ANTHROPIC_API_KEY"
_LOGINS = (_KEY, "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")


def is_due(machine: Machine, file: Path, env: Mapping[str, str]) -> bool:
    """Whether nobody has been through it here, and the environment says who it is that works.

    Without that the login is a person's to do. Raises Refused when the user's file cannot be read.
    """
    return (
        any(env.get(name) for name in _LOGINS)
        and read(machine, file).get("hasCompletedOnboarding") is not True
    )


def environment(machine: Machine, file: Path, env: Mapping[str, str]) -> dict[str, str]:
    """What the agent's environment needs beside."""
    return {"IS_DEMO": "1"} if is_due(machine, file, env) else {}


def settings(machine: Machine, file: Path, env: Mapping[str, str]) -> dict[str, object]:
    """What the session's settings need beside; the key itself is not among it."""
    helped = bool(env.get(_KEY)) and is_due(machine, file, env)
    return {
        **({"apiKeyHelper": f"printenv {_KEY}"} if helped else {}),
        **(_renderer(machine, file) if isinstance(machine, ConfinedMachine) else {}),
    }


def _renderer(machine: Machine, file: Path) -> dict[str, object]:
    """In a sandbox it finds no tmux around it and offers another way to draw, at each start anew,
    since what it notes of that is not kept. Who has chosen one has it.
    """
    named = machine.environ.get("CLAUDE_CONFIG_DIR")
    place = (file.parent if named else file.parent / ".claude") / "settings.json"
    with contextlib.suppress(Refused):  # it says itself what is wrong with its settings
        if "tui" in read(machine, place):
            return {}
    return {"tui": "default"}
