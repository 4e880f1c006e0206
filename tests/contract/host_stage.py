"""Where the contract of a host is played: in this process by three threads at once, behind a node of
another user, or over ssh.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, cast
from unittest import mock

import psutil

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief, FirstWords, HookAddress, LinkSpec
from ennio.hosts.delivery import Words
from ennio.hosts.elsewhere import FarHost
from ennio.hosts.interface import Host
from ennio.hosts.observation import Wanted
from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.typed_log import TypedLog
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.machine.ssh.machine import SshMachine
from ennio.model.clock import SystemClock
from ennio.model.errors import EnnioError
from ennio.model.facts import AgentSeen, ProcessSeen
from ennio.node.client import NodeHost
from ennio.plugins.registry import Registry
from tests.conftest import eventually, lacking, need
from tests.node.node_bench import TOKEN, port_of
from tests.node.relay import Relay
from tests.ssh.bench import machine_of
from tests.ssh.sshd import Account as SshAccount
from tests.ssh.sshd import Sshd, sshd

ROOT = Path(__file__).resolve().parents[2]
THREADS = 3
HOOKS = HookAddress("127.0.0.1", 1, "/hooks/x", "secret")
WORDS = FirstWords("Play the sonata", "Never stop")
STORY = [
    {
        "on": "prompt",
        "steps": [
            {"edit": {"file": "{session}.md", "content": "{prompt}\n"}},
            {"commit": "Add a file"},
        ],
    },
    {
        "on": "message",
        "when": "^ask",
        "steps": [
            {"ask": {"question": "Which key?", "options": ["major", "minor"]}},
            {"say": "so be it"},
        ],
    },
    {"on": "message", "when": "^think", "steps": [{"think": 4000}]},
    {"on": "message", "steps": [{"say": "heard"}]},
]
_LIBRARIES = {"PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("platlib")])}
KINDS = {"tmux and worktree": ("tmux", "worktree"), "process and clone": ("process", "clone")}


@dataclass(frozen=True)
class Account:
    """Whose processes those of a stage are: what starts one of theirs, and the
    Python that they can run.
    """

    user: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable

    @property
    def uid(self) -> int:
        return int(self.user.get("user", os.geteuid()))


@cache
def another() -> Account:
    """Another user; our own where that is not for us to do, or no Python of this
    version is there for others.
    """
    system = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    user: Mapping[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}
    # the question is asked as Ennio asks it of a program: whether it can be run
    code = "import ennio.node.server, shutil, sys; sys.exit(shutil.which(sys.executable) is None)"
    for python in (sys.executable, system) if os.geteuid() == 0 else ():
        with suppress(OSError):
            done = subprocess.run(
                [python, "-c", code],
                env=_LIBRARIES,
                cwd="/",
                capture_output=True,
                check=False,
                timeout=60,
                **user,
            )
            if done.returncode == 0:
                return Account(user, python)
    return Account()


@dataclass
class Stage:
    """A host with a home, a person and a project; ``threads`` play each scene at once, each
    with a session of its own.
    """

    root: Path
    kind: str
    user: Account = field(default_factory=Account)
    threads: int = 1
    host: Host = field(init=False)
    relay: Relay | None = None
    program: str = "ennio.node"
    more: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    far: SshMachine | None = None
    server: tuple[Sshd, SshAccount] | None = None

    @property
    def elsewhere(self) -> bool:
        return self.process is not None

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def tmux_socket(self) -> Path:
        """Where the tmux server over there listens."""
        folder = self.root / f"tmux-{self.user.uid}"
        return next(folder.iterdir()) if self.far is not None else folder / "ennio-host"

    @property
    def env(self) -> dict[str, str]:
        """What there is over there: nothing of the tests' own."""
        git = {
            "GIT_CONFIG_GLOBAL": str(self.root / "person" / ".gitconfig"),
            "GIT_CONFIG_SYSTEM": "/dev/null",
        }
        ours = {
            "HOME": str(self.root / "person"),
            "PATH": f"{self.root / 'bin'}:/usr/bin:/bin",
            "TMUX_TMPDIR": str(self.root),
        }
        return {**git, **ours, **_LIBRARIES, "LANG": "C.UTF-8", "ENNIO_TMUX_SOCKET": "ennio-host"}

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """A command as the user over there."""
        quietly: Mapping[str, Any] = {
            "capture_output": True,
            "text": True,
            "timeout": 60,
            **self.user.user,
        }
        done = subprocess.run(words, cwd=cwd or self.root, env=self.env, check=False, **quietly)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    def build(self) -> None:
        """The folders, and a repository with its clone."""
        for name in ("home", "person", "bin"):
            self.run("mkdir", str(self.root / name))
        (self.root / "person" / ".gitconfig").write_text(
            "[user]\n  name = A\n  email = a@example.org\n[init]\n  defaultBranch = main\n"
        )
        self.run("git", "init", "-q", "--bare", "hub.git")
        self.run("git", "clone", "-q", str(self.root / "hub.git"), "score")
        score = self.root / "score"
        self.run("git", "commit", "-q", "--allow-empty", "-m", "begin", cwd=score)
        self.run("git", "push", "-q", "origin", "HEAD:main", cwd=score)
        self.run("touch", str(score / "shared.txt"))

    def start(self) -> None:
        """A node with the host, and a line to it; the one before must have ended."""
        words = [self.user.python, "-m", self.program, "--workspace-root", str(self.home)]
        env = {**self.env, **self.more, "ENNIO_NODE_AUTH_TOKEN": TOKEN}
        log = self.root / "node.log"
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [*words, "--port", "0"], env=env, cwd="/", stderr=said, **self.user.user
            )
        eventually(lambda: port_of(log), 30, "the node listens")
        if self.relay is None:
            self.relay = Relay(self.root / "line", port_of(log) or 0)
            node = NodeHost("elsewhere", f"unix:{self.relay.place}", TOKEN)
            self.host = cast("Host", node)
        self.relay.port = port_of(log) or 0
        eventually(self.answers, why="the node answers")

    def answers(self) -> bool:
        """Whether the node does."""
        with suppress(EnnioError):
            return cast("NodeHost", self.host).heartbeat() >= 0
        return False

    def cut(self) -> None:
        """Cut every connection to the host."""
        assert self.relay is not None
        self.relay.cut()
        self.relay.answering.set()

    def hold_answers(self) -> None:
        """Have what the host answers stay on the line, until that is cut."""
        assert self.relay is not None
        self.relay.answering.clear()

    def kill(self) -> None:
        """End the host's process without a word."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=30)

    def end_kept_clients(self) -> None:
        """End the clients that are attached to the tmux server over there."""
        ended = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if {"-C", "ennio-host"} <= set(process.cmdline()) and process.environ().get(
                    "TMUX_TMPDIR"
                ) == str(self.root):
                    process.kill()
                    ended.append(process)
        psutil.wait_procs(ended, timeout=5)

    def play(self, scene: Callable[[Stand], None], *, alone: bool = False) -> None:
        """One scene, by everybody at once."""
        number = 1 if alone else self.threads
        gate = threading.Barrier(number)

        def played(_: int) -> None:
            stand = Stand(self)
            gate.wait(timeout=30)
            try:
                scene(stand)
            finally:
                stand.clear()

        with ThreadPoolExecutor(number) as pool:
            for done in [pool.submit(played, each) for each in range(number)]:
                done.result(timeout=180)

    def clear(self) -> None:
        """End what belongs to this stage alone: its root is in the words of each."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                ours = (
                    str(self.root) in " ".join(process.cmdline())
                    or process.environ().get("HOME") == self.env["HOME"]
                )
                if ours and process.pid != os.getpid():
                    process.kill()
        if self.process is not None:
            self.process.wait(timeout=30)
        if self.relay is not None:
            cast("NodeHost", self.host).close()
            self.relay.close()


class Stand:
    """One session on a stage."""

    def __init__(self, stage: Stage) -> None:
        runtime, workspace = KINDS[stage.kind]
        self.stage = stage
        self.id = f"fix-{uuid.uuid4().hex[:8]}"
        self.brief = Brief(
            session_id=self.id,
            project_id="play",
            agent="scripted",
            runtime=runtime,
            workspace=workspace,
            agent_config=AgentConfig(passthrough={"story": STORY, "speed": 20}),
            env={"KEY_OF_PROJECT": "g minor"},
            repo=str(stage.root / "hub.git"),
            source=str(stage.root / "score"),
            branch=f"work/{self.id}",
            base="main",
            symlinks=(LinkSpec("shared.txt", "linked.txt"),),
            post_create=('printf %s "$KEY_OF_PROJECT" > hooked.txt',),
        )
        self.cursor: Mapping[str, str] = {}

    @property
    def host(self) -> Host:
        return self.stage.host

    @property
    def typed(self) -> TypedLog:
        """What the host has written down of what it typed."""
        return TypedLog(LocalMachine(), self.stage.home / "sessions" / self.id / "typed.jsonl")

    @property
    def folder(self) -> Path:
        return Path(self.host.workspace_path(self.brief))

    def made(self) -> None:
        """A working copy with the words of a first launch."""
        made = self.host.make(self.brief, WORDS)
        self.brief = replace(self.brief, path=made.path)
        self.host.prepare(self.brief)

    def launched(self, number: int = 1) -> None:
        """An agent that has done its first turn."""
        self.made()
        done = self.host.launch(self.brief, number, HOOKS, "record", False, None)
        self.brief = replace(self.brief, handle=done.handle)
        # several begin at once, each an interpreter of its own
        eventually(lambda: self.look().turns >= 1, 60, "its first turn is over")
        eventually(
            lambda: self.host.obstacle(self.brief, self.words("x")) is None, 60, "it takes words"
        )

    def process(self) -> ProcessSeen:
        """What a survey says of its process."""
        return self.host.survey(self.brief.runtime, {self.id: self.brief.handle}).processes[self.id]

    def is_awaited(self) -> bool:
        """Whether a look finds that there will be news when anything becomes of it; it is
        read on from where it was.
        """
        surveyed = self.host.survey(self.brief.runtime, {self.id: self.brief.handle})
        wanted = Wanted(self.brief, self.cursor, screen=True, place=True)
        read = self.host.observe([wanted])[self.id]
        self.cursor = read.cursor
        return read.awaited and surveyed.awaited == (self.id,)

    def told_since(self, cursor: str) -> str:
        """Wait until there is news of it; up to where that was told."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            news = self.host.news(cursor, 2)
            assert not news.everybody, "the host is still the same"
            if self.id in news.sessions:
                assert self.id in self.host.news(cursor, 2).sessions, (
                    "asked again it tells the same"
                )
                return news.cursor
            cursor = news.cursor
        raise AssertionError(f"no news of {self.id}")

    def look(self) -> AgentSeen:
        """What its agent says, from the beginning."""
        self.process()
        seen = self.host.observe([Wanted(self.brief, {}, screen=True, place=True, afresh=True)])[
            self.id
        ].agent
        assert seen is not None
        return seen

    def words(self, text: str, message_id: str = "") -> Words:
        return Words(message_id or uuid.uuid4().hex, text, SystemClock().now())

    def clear(self) -> None:
        """Leave nothing running."""
        with suppress(EnnioError):
            self.host.stop(self.brief, launched=True)


@contextmanager
def in_this_process(stage: Stage) -> Iterator[Stage]:
    clock, home = SystemClock(), Home(stage.home)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTEST")}
    with mock.patch.dict(os.environ, {**kept, **stage.env}, clear=True):
        stage.host = PluginHost(Registry(home, clock), home, clock)
        yield stage


@contextmanager
def behind_a_node(stage: Stage) -> Iterator[Stage]:
    stage.user = another()
    os.chown(stage.root, stage.user.uid, -1)
    yield stage


@contextmanager
def over_ssh(stage: Stage) -> Iterator[Stage]:
    """As another user, whose shell tells where everything is and prints what nobody asked for."""
    with sshd() as server:
        there = server.account()
        stage.user = Account({**there.as_user, "extra_groups": []}, "python3")
        os.chown(stage.root, there.uid, -1)
        env = {**stage.env, "ENNIO_HOME": str(stage.home)}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in env.items()]
        (there.home / ".bashrc").write_text("\n".join(["echo Good day", *lines]) + "\n")
        stage.far, stage.server = machine_of(server, there), (server, there)
        yield stage
        stage.far.close()


PLACES: Mapping[str, tuple[Callable[[Stage], Any], int]] = {
    "behind a node": (behind_a_node, 1),
    "over ssh": (over_ssh, 1),
    "from three threads": (in_this_process, THREADS),
}
"""Where, and by how many at once. Whoever asks alone is played behind a node, whose host is the same
as in this process.
"""
STAGES = [
    (place, kind)
    for place in PLACES
    for kind in KINDS
    # a program of ours has to keep terminals where tmux does not, and nothing of ours lies there
    if (place, kind) != ("over ssh", "process and clone")
]


@contextmanager
def stage_at(place: str, kind: str) -> Iterator[Stage]:
    """A stage with everything on it; nothing of it is left."""
    for program in ("git", *(("tmux",) if kind.startswith("tmux") else ())):
        need(program)
    if "gevent.monkey" in sys.modules and sys.modules["gevent.monkey"].is_module_patched(
        "threading"
    ):
        lacking("threads are not real in this process: what needs them was NOT tested")
    standing, threads = PLACES[place]
    root = Path(tempfile.mkdtemp(prefix="ennio-host-", dir="/tmp"))
    root.chmod(0o755)
    stage = Stage(root, kind, threads=threads)
    try:
        with standing(stage):
            stage.build()
            if place == "behind a node":
                stage.start()
            if stage.far is not None:
                stage.host = FarHost("there", stage.far, SystemClock(), "contract")
            yield stage
    finally:
        stage.clear()
        shutil.rmtree(root, ignore_errors=True)
