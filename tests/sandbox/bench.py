"""A sandboxed session on a real host, with a machine around it that is worth breaking into."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief, HookAddress, SandboxSpec
from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.session_results import Launched
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.model.errors import EnnioError
from ennio.plugins.registry import Registry
from tests.conftest import eventually, need

SECRET = "the-secret-of-this-machine"
NOWHERE = HookAddress("127.0.0.1", 9, "/hook", SECRET)


@dataclass(slots=True)
class Bench:
    """One machine: a person's home with keys, a repository with its hub, and a host."""

    root: Path
    clock: SystemClock = field(default_factory=SystemClock)
    host: PluginHost = field(init=False)
    briefs: list[Brief] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return Home(self.root / "ennio")

    @property
    def person(self) -> Path:
        return self.root / "person"

    @property
    def repository(self) -> Path:
        return self.root / "proj"

    @property
    def hub(self) -> Path:
        return self.root / "proj.git"

    def git(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=cwd or self.repository, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def build(self) -> None:
        for name, text in ((".ssh/id_rsa", SECRET), (".netrc", SECRET), (".profile", "")):
            (self.person / name).parent.mkdir(parents=True, exist_ok=True)
            (self.person / name).write_text(text)
        self.repository.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Person")
        self.git("config", "user.email", "person@example.com")
        (self.repository / "README.md").write_text("hello\n")
        (self.repository / "untracked.env").write_text(SECRET)
        self.git("add", "README.md")
        self.git("commit", "-qm", "Begin")
        self.git("clone", "-q", "--bare", ".", str(self.hub))
        self.git("remote", "add", "origin", str(self.hub))
        self.host = PluginHost(Registry(self.home, self.clock), self.home, self.clock)

    def brief(
        self, session_id: str, argv: list[str], sandbox: SandboxSpec | None, **more: Any
    ) -> Brief:
        """A session of the command agent."""
        made = Brief(
            session_id=session_id,
            project_id=session_id,  # an agent is made once for each project
            agent="command",
            runtime="process",
            workspace="clone",
            agent_config=AgentConfig(passthrough={"argv": argv}),
            repo=str(self.hub),
            source=str(self.repository),
            branch=session_id,
            base="main",
            sandbox=sandbox,
        )
        made = replace(made, **more)
        self.briefs.append(made)
        return made

    def workspace(self, brief: Brief) -> Path:
        return Path(self.host.workspace_path(brief))

    def folder(self, brief: Brief) -> Path:
        return self.home.session(brief.session_id)

    def shared(self, brief: Brief) -> Path:
        return self.folder(brief) / "agent"

    def make(self, brief: Brief) -> None:
        self.host.check(brief)
        self.host.instruct(brief, "do it", "")
        self.host.make(brief)
        self.host.prepare(brief)

    def launch(self, brief: Brief, hooks: HookAddress = NOWHERE, number: int = 1) -> Launched:
        return self.host.launch(brief, number, hooks, "{}", resume=False, carry=None)

    def run(self, brief: Brief, hooks: HookAddress = NOWHERE) -> dict[str, Any]:
        """Make and launch a session, wait for its end, and read what it wrote down of itself."""
        self.make(brief)
        launched = self.launch(brief, hooks)
        self.ended(brief, launched)
        told = self.workspace(brief) / "told.json"
        assert told.exists(), self.host.output(replace(brief, handle=launched.handle), 60)
        found: dict[str, Any] = json.loads(told.read_text())
        return found

    def ended(self, brief: Brief, launched: Launched) -> None:
        def over() -> bool:
            seen = self.host.survey(brief.runtime, {brief.session_id: launched.handle}).processes
            return seen[brief.session_id].presence == "gone"

        eventually(over, within=40)

    def clear(self) -> None:
        for brief in self.briefs:
            with suppress(EnnioError):
                self.host.stop(brief, launched=True)
        self.host.close()


def python(*words: str) -> list[str]:
    """The words that run a program of the tests inside, which is laid into its working copy."""
    return [sys.executable, "-I", "-S", *words]


@contextmanager
def bench() -> Iterator[Bench]:
    """One that is gone afterwards, with all its processes."""
    need("bwrap")
    root = Path(tempfile.mkdtemp(prefix="ennio-sandbox-", dir="/tmp"))
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"HOME": str(root / "person"), "SUPERVISORS_SECRET": SECRET, "USER": "person"}
    made = Bench(root)
    try:
        with mock.patch.dict(os.environ, {**kept, **own}, clear=True):
            made.build()
            yield made
            made.clear()
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def listening(address: str | tuple[str, int]) -> Iterator[socket.socket]:
    """Somebody who listens and answers every guest with the secret."""
    import threading

    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    guest, _ = server.accept()
                    with guest, suppress(OSError):
                        guest.sendall(SECRET.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server
