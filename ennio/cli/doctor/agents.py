"""The agents: which are installed, which are wanted, and whether they have a key."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.machine.untrusted import json_file
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.opencode import OpenCode

_LARGEST = 64 * 1024 * 1024  # what claude-code knows of all its projects
KINDS = (ClaudeCode, Aider, Codex, OpenCode)


def installed() -> tuple[str, ...]:
    """The names of the agents whose program is on the PATH."""
    return tuple(kind.name for kind in KINDS if shutil.which(kind.executable))


def agent(
    name: str, version: str | None, hint: str, *, wanted: bool, tried: Collection[str] = ()
) -> Finding:
    """One kind of agent; only broken where a project names it, and doubtful in a
    version that was never tried.
    """
    if version is not None and tried and not any(_is(known, version) for known in tried):
        what = (
            f"agent {name}: {version} was never tried with this version of ennio; it was with "
            f"{', '.join(tried)}"
        )
        return warning(
            what,
            "it will most likely do; look at its first session, and report what is shown wrongly",
        )
    if version is not None:
        return fine(f"agent {name}: {version}")
    if wanted:
        what = f"agent {name} is not installed, and a project uses it"
        return broken(f"{what} (`spawn --agent scripted` needs none)", hint)
    return warning(f"agent {name} is not installed", hint)


def _is(known: str, version: str) -> bool:
    return known in re.findall(r"\d+(?:\.\d+)+", version)


def first_start(name: str, home: Path) -> Finding | None:
    """Whether a wanted agent would stop at the dialogs of its own first start, which
    only a person can settle.
    """
    if name == "claude-code":
        file = Path(os.environ.get("CLAUDE_CONFIG_DIR") or home) / ".claude.json"
        if not _json(file).get("hasCompletedOnboarding"):
            return warning(
                "agent claude-code was never started here: its first start asks for a theme and a "
                "login",
                "claude",
            )
    if name == "codex":
        folder = Path(os.environ.get("CODEX_HOME") or home / ".codex")
        if not any((folder / settled).exists() for settled in ("auth.json", "config.toml")):
            return warning(
                "agent codex was never started here: its first start asks for a login",
                "codex login",
            )
    return None


def _json(file: Path) -> Mapping[str, Any]:
    try:
        found = json_file(file, _LARGEST)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def key(name: str, passes: Collection[str], present: Collection[str]) -> Finding | None:
    """Whether a wanted agent finds a key; it may have a login of its own,
    so this never is broken.
    """
    keys = [variable for variable in passes if variable.endswith(("_API_KEY", "_TOKEN"))]
    if not keys or any(variable in present for variable in keys):
        return None
    what = f"agent {name} has no key in the environment (none of {', '.join(keys)})"
    return warning(what, f"export {keys[0]}=...  (not needed when {name} is logged in)")
