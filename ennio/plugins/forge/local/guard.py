"""Keeps agents from pushing to protected branches of a hub that Ennio made: a hook of the
repository, in plain sh.

It knows an agent, and whatever an agent starts, by the session in its environment; a check, which
runs what the agent wrote, by the check's name. A person's push passes, and a merge of ours is no
push. A hook that a person wrote is never touched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ennio.config.model import Project
from ennio.machine.files import write_atomically
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.errors import EnnioError
from ennio.plugins.forge.local.repository import HEADS, repository_path
from ennio.plugins.git import Git

MARK = "# ennio: pre-receive"
_HOOKS = "hooks"
_PLAIN = re.compile(r"[0-9/._*?-]")
_TEXT = """\
#!/bin/sh
{mark}
# Agents push to branches of their own; a pull request brings these in. Written anew at every start of Ennio from
# default_branch and protected_branches: without the line above it is yours, and stays as it is.
who="${{ENNIO_SESSION_ID:+session $ENNIO_SESSION_ID}}${{ENNIO_CHECK:+check $ENNIO_CHECK}}"
[ -n "$who" ] || exit 0
while read -r old new ref; do
  case "$ref" in
    {patterns})
      echo "ennio: ${{ref#{heads}}} is protected: $who may not push to it; push your own branch" >&2
      exit 1 ;;
  esac
done
exit 0
"""  # noqa: E501


def hub_of(project: Project, home: Home) -> Path | None:
    """The project's repository, where it is a hub that ``ennio init`` made below this home."""
    path = repository_path(project)
    return (
        path if path.resolve().parent == (home.root / "hubs").resolve() and path.is_dir() else None
    )


def text(branches: Iterable[str]) -> str:
    """The hook for these branches and patterns of branches."""
    patterns = " | ".join(HEADS + "".join(map(_letter, branch)) for branch in sorted(set(branches)))
    return _TEXT.format(mark=MARK, patterns=patterns, heads=HEADS)


def _letter(letter: str) -> str:
    """One letter as a shell's pattern: in either case, since file names may not tell them apart,
    and quoted if it means anything.
    """
    if letter.isascii() and letter.isalpha():
        return f"[{letter.lower()}{letter.upper()}]"
    return letter if _PLAIN.match(letter) else f"'{letter}'" if letter != "'" else '"\'"'


def install(hub: Path, branches: Iterable[str]) -> str | None:
    """Write the hook, or bring it up to date; why it could not be, or None. May be called again."""
    found = trouble(hub)
    if found is not None:
        return found
    try:
        Git(LocalMachine(), hub).run(
            "config", "core.hooksPath", _HOOKS
        )  # a person's global one would keep it from running
        _write(_hook(hub), text(branches))
    except (EnnioError, OSError) as error:
        return f"{_hook(hub)} could not be written: {error}"
    return None


def _write(hook: Path, words: str) -> None:
    if hook.exists() and hook.read_text(encoding="utf-8") == words and os.access(hook, os.X_OK):
        return
    hook.parent.mkdir(exist_ok=True)
    write_atomically(hook, words, mode=0o755)


def trouble(hub: Path) -> str | None:
    """Why the hook of a hub is not ours to write, or None; only looks."""
    try:
        elsewhere = (
            Git(LocalMachine(), hub)
            .run("config", "--local", "--get", "core.hooksPath", check=False)
            .text
        )
        hook = _hook(hub)
        if elsewhere not in ("", _HOOKS):
            return (
                f"agents' pushes to protected branches are not refused: core.hooksPath of {hub} "
                f"is {elsewhere}"
            )
        if hook.is_symlink() or (
            hook.exists()
            and MARK not in hook.read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            return (
                f"agents' pushes to protected branches are not refused: {hook} is not Ennio's, "
                "and stays as it is"
            )
    except (EnnioError, OSError) as error:
        return (
            f"agents' pushes to protected branches are not refused: the hooks of {hub} cannot be "
            f"read: {error}"
        )
    return None


def _hook(hub: Path) -> Path:
    return hub / _HOOKS / "pre-receive"
