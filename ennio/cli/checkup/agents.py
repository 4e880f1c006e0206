"""The agents: which are installed, which are wanted, and whether they have a key."""

from __future__ import annotations

import shutil
from collections.abc import Collection

from ennio.cli.checkup.finding import Finding, broken, fine, warning
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.opencode import OpenCode

KINDS = (ClaudeCode, Aider, Codex, OpenCode)


def installed() -> tuple[str, ...]:
    """The names of the agents whose program is on the PATH."""
    return tuple(kind.name for kind in KINDS if shutil.which(kind.executable))


def agent(name: str, version: str | None, hint: str, *, wanted: bool) -> Finding:
    """One kind of agent; only broken where a project names it."""
    if version is not None:
        return fine(f"agent {name}: {version}")
    if wanted:
        return broken(f"agent {name} is not installed, and a project uses it", hint)
    return warning(f"agent {name} is not installed", hint)


def key(name: str, passes: Collection[str], present: Collection[str]) -> Finding | None:
    """Whether a wanted agent finds a key; it may have a login of its own, so this never is broken."""
    keys = [variable for variable in passes if variable.endswith(("_API_KEY", "_TOKEN"))]
    if not keys or any(variable in present for variable in keys):
        return None
    what = f"agent {name} has no key in the environment (none of {', '.join(keys)})"
    return warning(what, f"export {keys[0]}=...  (not needed when {name} is logged in)")
