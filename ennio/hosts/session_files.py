"""A session's own files on its host: 0700 folder, 0600 files, none of them in the working copy."""

from __future__ import annotations

import json
import os
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from ennio.hosts.interface import Brief, HookAddress
from ennio.hosts.typed_log import TypedLog
from ennio.machine.files import write_atomically
from ennio.machine.home import Home, private
from ennio.plugins.agent.interface import AgentContext

PROMPT, SYSTEM, HOOKS, RECORD = "prompt.md", "system.md", "bell.json", "session.json"
TYPED = "typed.jsonl"
_CONVERSATIONS = uuid.UUID("6f6b4a3e-6a0e-4b57-9d0f-2a3f0b8b7c11")


@lru_cache(maxsize=4096)
def _conversation(session_id: str) -> str:
    return str(uuid.uuid5(_CONVERSATIONS, session_id))


class SessionFiles:
    """Reads and writes them. ``folder`` is made when something is written to it."""

    def __init__(self, home: Home, session_id: str) -> None:
        self.folder = home.session(session_id)
        self._id = session_id

    def read(self, name: str) -> str | None:
        """The text of a file; None when it is not there."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Write it whole or not at all, for its owner's eyes only."""
        write_atomically(private(self.folder) / name, text)

    def remove(self) -> None:
        """Prompts, keys, logs of hooks: nobody reads them any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what its agent's plugin may know ---------------------------------------------------------

    def context(self, brief: Brief, workspace: Path) -> AgentContext:
        """The session as its agent's plugin may know it; the folder is there."""
        if not self.folder.is_dir():
            private(self.folder)
        return self.context_without_folder(brief, workspace)

    def context_without_folder(self, brief: Brief, workspace: Path) -> AgentContext:
        """The same where nothing may be made."""
        return AgentContext(
            session_id=brief.session_id,
            project_id=brief.project_id,
            # agents know the folder they work in by its real path, whatever links lead there
            workspace=Path(os.path.realpath(workspace)),
            directory=self.folder,
            conversation=_conversation(brief.session_id),
            config=brief.agent_config,
            system=self.read(SYSTEM) or "",
            branch=brief.branch,
            base=brief.base,
        )

    # --- hooks ------------------------------------------------------------------------------------

    def hooks(self) -> HookAddress | None:
        """Where its hooks go; None when the file is not whole, or not its owner's alone."""
        try:
            with open(
                os.open(self.folder / HOOKS, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8"
            ) as file:
                state = os.fstat(file.fileno())
                told = (
                    json.load(file)
                    if (state.st_uid, state.st_mode) == (os.geteuid(), stat.S_IFREG | 0o600)
                    else None
                )
            return HookAddress(**told) if isinstance(told, dict) else None
        except (OSError, ValueError, RecursionError, TypeError):
            return None

    def lead_hooks(self, address: HookAddress) -> None:
        """Have its hooks go there from now on."""
        self.write(HOOKS, json.dumps(asdict(address)))

    # --- what was typed ---------------------------------------------------------------------------

    @property
    def typed(self) -> TypedLog:
        """What was typed to its agent."""
        return TypedLog(self.folder / TYPED)


def records(home: Home) -> Iterator[tuple[str, str]]:
    """Session ids and what was recorded at their last launch, as far as it can be read."""
    for path in sorted((home.root / "sessions").glob(f"*/{RECORD}")):
        try:
            yield path.parent.name, path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue


def write_all(files: Mapping[Path, str]) -> None:
    """The files that a command needs."""
    for path, text in files.items():
        private(path.parent)
        write_atomically(path, text)
