"""A session's own files on its host: 0700 folder, 0600 files, none of them in the working copy."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

from ennio.hosts.brief import Brief, HookAddress
from ennio.hosts.sandboxes import AGENT, SessionSandbox
from ennio.hosts.typed_log import TypedLog
from ennio.machine import single
from ennio.machine.home import Home
from ennio.machine.interface import FilePart, FileSpan, Machine
from ennio.machine.questions import Questions
from ennio.plugins.agent.interface import AgentContext

PROMPT, SYSTEM, HOOKS, RECORD = "prompt.md", "system.md", "bell.json", "session.json"
TYPED = "typed.jsonl"
_MOST = 64 << 20  # bytes: a prompt may hold a whole log
_CONVERSATIONS = uuid.UUID("6f6b4a3e-6a0e-4b57-9d0f-2a3f0b8b7c11")


@lru_cache(maxsize=4096)
def _conversation(session_id: str) -> str:
    return str(uuid.uuid5(_CONVERSATIONS, session_id))


class SessionFiles:
    """Reads and writes them. ``folder`` is made when something is written to it."""

    def __init__(self, machine: Machine, home: Home, session_id: str) -> None:
        self.machine = machine
        self.home = home
        self.folder = home.session(session_id)
        self.session_id = session_id

    def read(self, name: str) -> str | None:
        """The text of a file; None when it is not there."""
        (part,) = self.machine.read([self._span(name)])
        if isinstance(part, FileNotFoundError):
            return None
        if isinstance(part, OSError):
            raise part
        return part.data.decode()

    def write(self, name: str, text: str) -> None:
        """Write it whole or not at all, for its owner's eyes only."""
        with self.machine.gathered():
            self.machine.make_folder(self.folder, private=True)
            self.machine.write(self.folder / name, text.encode())

    def remove(self) -> None:
        """Prompts, keys, logs of hooks: nobody reads them any more."""
        self.machine.remove_tree(self.folder)

    def of_a_launch(self, workspace: Path, sandbox: SessionSandbox | None) -> Questions:
        """What is asked of the machine before a launch."""
        asked = self.rests_on(workspace, self._shared(sandbox))
        return replace(asked, files=(*asked.files, self._span(PROMPT), self.typed.span))

    def of_typing(self, workspace: Path, sandbox: SessionSandbox | None) -> Questions:
        """What is asked of the machine before its agent is typed to."""
        asked = self.rests_on(workspace, self._shared(sandbox))
        return replace(asked, files=(*asked.files, self.typed.span))

    # --- what its agent's plugin may know ---------------------------------------------------------

    def context(
        self, brief: Brief, workspace: Path, sandbox: SessionSandbox | None = None
    ) -> AgentContext:
        """The session as its agent's plugin may know it; the folder is there."""
        folder = self._shared(sandbox)
        with self.machine.foreseen(self.rests_on(workspace, folder)):
            if not single.is_folder(self.machine, folder):
                self.machine.make_folder(folder, private=True)
            return self.context_without_folder(brief, workspace, sandbox)

    def rests_on(self, workspace: Path, *folders: Path) -> Questions:
        """What is asked of the machine for a context."""
        return Questions(states=folders, real=(workspace,), files=(self._span(SYSTEM),))

    def _span(self, name: str) -> FileSpan:
        return FileSpan(self.folder / name, most=_MOST)

    def _shared(self, sandbox: SessionSandbox | None) -> Path:
        """Where its agent and we meet: of one in a sandbox only a part of the folder."""
        return self.folder if sandbox is None else self.folder / AGENT

    def context_without_folder(
        self, brief: Brief, workspace: Path, sandbox: SessionSandbox | None = None
    ) -> AgentContext:
        """The same where nothing may be made."""
        return AgentContext(
            session_id=brief.session_id,
            project_id=brief.project_id,
            # agents know the folder they work in by its real path, whatever links lead there
            workspace=single.real(self.machine, workspace),
            directory=self._shared(sandbox),
            conversation=_conversation(brief.session_id),
            config=brief.agent_config,
            system=self.read(SYSTEM) or "",
            branch=brief.branch,
            base=brief.base,
            home=self.machine.home,
            machine=self.machine if sandbox is None else sandbox.machine,
        )

    # --- hooks ------------------------------------------------------------------------------------

    def hooks(self) -> HookAddress | None:
        """Where its hooks go; None when the file is not whole, or not its owner's alone."""
        (part,) = self.machine.read([FileSpan(self.folder / HOOKS, follow=False)])
        if isinstance(part, OSError) or (part.state.owner, part.state.mode) != (
            self.machine.user,
            0o600,
        ):
            return None
        try:
            told = json.loads(part.data)
            return HookAddress(**told) if isinstance(told, dict) else None
        except (ValueError, RecursionError, TypeError):
            return None

    def lead_hooks(self, address: HookAddress) -> None:
        """Have its hooks go there from now on."""
        self.write(HOOKS, json.dumps(asdict(address)))

    # --- what was typed ---------------------------------------------------------------------------

    @property
    def typed(self) -> TypedLog:
        """What was typed to its agent."""
        return TypedLog(self.machine, self.folder / TYPED)


def records(machine: Machine, home: Home) -> Iterator[tuple[str, str]]:
    """Session ids and what was recorded at their last launch, as far as it can be read."""
    folder = home.root / "sessions"
    try:
        names = sorted(name for name in machine.list(folder) if not name.startswith("."))
    except OSError:
        return
    found = machine.read([FileSpan(folder / name / RECORD, most=_MOST) for name in names])
    for name, part in zip(names, found, strict=True):
        with suppress(ValueError):
            if isinstance(part, FilePart):
                yield name, part.data.decode()


def write_all(machine: Machine, files: Mapping[Path, str]) -> None:
    """The files that a command needs."""
    with machine.gathered():
        for path, text in files.items():
            machine.make_folder(path.parent, private=True)
            machine.write(path, text.encode())
