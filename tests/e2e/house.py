"""A whole Ennio in a folder of its own: repository, hub, configuration, supervisor, agents; and
its traces on the machine.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from ennio.http import client as http
from ennio.machine.home import Home
from ennio.model.errors import EnnioError, Unreachable
from ennio.proxy.directory import ProxyDirectory
from ennio.proxy.process import tell_to_end
from tests import forked_supervisor
from tests.conftest import eventually, need
from tests.e2e.keepsakes import keepsakes, kept
from tests.ended import Ended
from tests.fork_server import forked
from tests.forked_supervisor import ForkedSupervisor

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"runtime": "250ms", "agent": "200ms", "forge": "250ms"}
OVER = ("merged", "done", "killed")


@dataclass(frozen=True, slots=True)
class Ground:
    """Folders and environment; nothing runs yet. ``clone`` is the person's repository,
    ``hub`` the bare one beside it.

    ``database`` is the address of a PostgreSQL, where it is no file in the repository.
    """

    root: Path
    socket: str
    path: str
    database: str = ""

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def clone(self) -> Path:
        return self.root / "score"

    @property
    def hub(self) -> Path:
        return self.root / "score.git"

    @property
    def config(self) -> Path:
        return self.clone / "ennio.yaml"

    @property
    def env(self) -> dict[str, str]:
        """Nothing of the machine's own configuration, and no secrets."""
        kept = {
            name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ
        }
        git = {
            "GIT_CONFIG_GLOBAL": str(self.root / "gitconfig"),
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
        }
        ours = {"ENNIO_HOME": str(self.home), "ENNIO_TMUX_SOCKET": self.socket, "ENNIO_CHAOS": "1"}
        ours["ENNIO_TRUSTED_CONFIG_PATHS"] = str(self.root)
        if self.database:
            ours["DATABASE_URL"] = self.database
        return (
            kept
            | git
            | ours
            | {"PATH": self.path, "HOME": str(self.root / "person"), "PYTHONPATH": str(ROOT)}
        )

    def git(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd or self.clone,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def main(self, path: str) -> str:
        """A file as it stands on the hub's main."""
        return self.git("show", f"main:{path}", cwd=self.hub)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ennio.cli", *words]

    def ennio(
        self, *words: str, given: str = "", cwd: Path | None = None, timeout: float = 90, **env: str
    ) -> Ended:
        """Run a command as the person would, in the repository's folder; its process need not
        load it.
        """
        done = subprocess.run(
            forked(*words),
            cwd=cwd or self.clone,
            env=self.env | env,
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    # --- what there is on the machine, seen without asking Ennio ----------------------------------

    def processes(self) -> dict[int, dict[str, str]]:
        """Every living process that belongs to this home, with its environment."""
        found = {}
        for process in _with("environ", f"ENNIO_HOME={self.home}"):
            with suppress(psutil.Error, OSError):
                environment = process.environ()
                if (
                    environment.get("ENNIO_HOME") == str(self.home)
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found[process.pid] = environment
        return found

    def agents(self) -> dict[str, list[int]]:
        """The processes of agents and what they started, by session."""
        found: dict[str, list[int]] = {}
        for pid, environment in self.processes().items():
            if "ENNIO_SESSION_ID" in environment:
                found.setdefault(environment["ENNIO_SESSION_ID"], []).append(pid)
        return found

    def terminals(self) -> list[str]:
        """The sessions of the tmux server of this house."""
        done = self.tmux("list-sessions", "-F", "#{session_name}")
        return done.stdout.split() if done.returncode == 0 else []

    def tmux(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tmux", "-L", self.socket, *words],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def worktrees(self) -> list[str]:
        """The workspaces on the disk, by session."""
        return sorted(
            path.name for kind in ("worktrees", "clones") for path in (self.home / kind).glob("*/*")
        )

    def transcript(self, session_id: str) -> list[dict[str, Any]]:
        """What a scripted agent says happened to it, also when its folder is gone."""
        path = self.home / "sessions" / session_id / "transcript.jsonl"
        path = path if path.exists() else kept(self.root / "transcripts", session_id)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def taken(self, session_id: str) -> list[str]:
        """Every text the agent says it took."""
        return [entry["text"] for entry in self.transcript(session_id) if entry["type"] == "prompt"]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What the database holds, read beside Ennio."""
        if self.database:
            return _rows_of_postgres(self.database, query, values)
        file = next(
            (self.home / "databases").glob("*.db"), self.clone / "ennio.db"
        )  # `init` puts it out of the repository
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()


_JSON = re.compile(r"json_extract\((\w+), '\$\.(\w+)'\)")


def _rows_of_postgres(url: str, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
    import psycopg
    from psycopg.rows import dict_row

    statement = _JSON.sub(r"(\1::json ->> '\2')", query).replace("?", "%s")
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.cursor(row_factory=dict_row).execute(statement, values or None).fetchall()


@dataclass(slots=True)
class Supervised:
    """A supervisor that runs on a ground, and everything a person or an accident does to it."""

    ground: Ground
    process: subprocess.Popen[bytes] | ForkedSupervisor | None = None

    module = "ennio.supervise"
    """What is run as the supervisor."""

    forked = True
    """Whether it is forked from one that has loaded itself, where that can be; what is about its
    beginning, or what it takes, begins an interpreter.
    """

    @property
    def env(self) -> dict[str, str]:
        """What it is started with."""
        return self.ground.env

    @property
    def log(self) -> Path:
        return self.ground.root / "supervisor.log"

    def begin(self) -> None:
        """Start the supervisor; returns at once."""
        words = ("--config", str(self.ground.config))
        with self.log.open("ab") as log:
            if self.forked:
                self.process = forked_supervisor.begin(self.module, words, self.env, log)
                if self.process is not None:
                    return
            self.process = subprocess.Popen(
                (sys.executable, "-m", self.module, *words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                cwd="/",
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the supervisor and wait until it answers."""
        self.begin()
        self.answers()

    def answers(self, within: float = 40.0) -> None:
        eventually(self._answers, within, "the supervisor answers")

    def _answers(self) -> bool:
        assert self.process is None or self.process.poll() is None, self.words()
        try:
            return bool(self.client.get("/health") == "ok")
        except (http.NoSupervisor, Unreachable):
            return False

    def words(self) -> str:
        """The last lines of the supervisor's log."""
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])
            if self.log.exists()
            else ""
        )

    @property
    def client(self) -> http.ApiClient:
        return http.find(self.ground.config, Home(self.ground.home), lambda: None)

    # --- accidents --------------------------------------------------------------------------------

    def arbiter(self) -> int:
        """The pid of the outermost process, whoever started it."""
        if self.process is not None and self.process.poll() is None:
            return self.process.pid
        address = json.loads(self.run_file("supervisor.json").read_text())
        return int(address["pid"])

    def run_file(self, name: str) -> Path:
        return Home(self.ground.home).run(self.ground.config) / name

    def workers(self) -> list[int]:
        """The pids of the workers under the arbiter."""
        with suppress(psutil.Error):
            return [
                child.pid
                for child in psutil.Process(self.arbiter()).children()
                if child.status() != psutil.STATUS_ZOMBIE
            ]
        return []

    def kill_worker(self) -> None:
        """``kill -9`` for the worker alone; the arbiter starts another."""
        for pid in self.workers():
            _kill(pid)

    def kill_arbiter(self) -> None:
        """``kill -9`` for the arbiter alone; its worker is left behind."""
        _kill(self.arbiter())
        if self.process is not None:
            self.process.wait(20)

    def kill_everything(self) -> None:
        """``kill -9`` for the whole supervisor. Agents are nobody's business."""
        workers = self.workers()
        self.kill_arbiter()
        for pid in workers:
            _kill(pid)

    def stop(self) -> None:
        """End it as a person does."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)

    # --- what Ennio says --------------------------------------------------------------------------

    def sessions(self) -> dict[str, dict[str, Any]]:
        return {session["id"]: session for session in self.client.get("/sessions", all=True)}

    def session(self, session_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/sessions/{session_id}")
        return found

    def spawn(
        self, prompt: str = "Write down what you know", project: str = "score", **order: object
    ) -> str:
        return str(
            self.client.post("/sessions", {"project_id": project, "prompt": prompt, **order})["id"]
        )

    def becomes(self, session_id: str, *statuses: str, within: float = 30.0) -> dict[str, Any]:
        """Wait until the session has one of the statuses."""

        def reached() -> dict[str, Any]:
            session = self.session(session_id)
            assert session["status"] in statuses, f"{session['status']}: {session.get('reason')}"
            return session

        found: dict[str, Any] = eventually(
            reached, within, f"{session_id} is {' or '.join(statuses)}"
        )  # type: ignore[assignment]
        return found

    def events(self, **query: object) -> list[dict[str, Any]]:
        """All events, page by page."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while True:
            page, _ = self.client.page("/events", after=after, limit=500, **query)
            if not page:
                return found
            found += page
            after = page[-1]["seq"]

    def kill_agents(self) -> None:
        """End every session that has not ended, as a person would."""
        for session in self.sessions().values():
            if session["status"] not in OVER:
                with suppress(EnnioError):
                    self.client.delete(f"/sessions/{session['id']}")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


# --- making them ----------------------------------------------------------------------------------


def free_port() -> int:
    """A port that nobody has and that the kernel hands out to nobody, so that it is still free
    after a supervisor was killed.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 30_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def project(ground: Ground, name: str = "score", **settings: Any) -> dict[str, Any]:
    """A project on the ground's repository, played by the scripted agent with
    the default story, fast.
    """
    standard = {
        "name": name,
        "repo": str(ground.hub),
        "path": str(ground.clone),
        "agent": "scripted",
        "runtime": "tmux",
        "agent_config": {"passthrough": {"speed": 20}},
        "scm_config": {"plugin": "local"},
    }
    return standard | settings


def repository(ground: Ground, files: dict[str, str] | None = None, *, hub: bool = True) -> None:
    """A person's repository with one commit, and (``hub``) a bare remote called origin."""
    (ground.root / "person").mkdir(parents=True)
    (ground.root / "gitconfig").write_text(
        "[user]\n  name = A Person\n  email = person@example.org\n[init]\n  defaultBranch = main\n"
    )
    ground.clone.mkdir()
    for name, text in (files or {"README.md": "# Score\n"}).items():
        (ground.clone / name).parent.mkdir(exist_ok=True)
        (ground.clone / name).write_text(text)
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "Begin")):
        ground.git(*words)
    if hub:
        ground.git("clone", "--quiet", "--bare", ".", str(ground.hub))
        ground.git("remote", "add", "origin", str(ground.hub))
        ground.git("fetch", "--quiet", "origin")


def configure(ground: Ground, *projects: dict[str, Any], **settings: Any) -> None:
    """Write the configuration: quick polls and a free port, unless the settings say otherwise."""
    document = {
        "port": free_port(),
        "min_free_memory": 0,
        "poll": QUICK,
        **settings,
        "projects": list(projects) or [project(ground)],
    }
    ground.config.write_text(yaml.safe_dump(document, sort_keys=False))


@contextmanager
def ground_at(root: Path, path: str | None = None, database: str = "") -> Iterator[Ground]:
    """An empty ground; at the end nothing of it runs any more, and that is
    what the test stands for.
    """
    need("git")
    need("tmux")
    root.mkdir(parents=True, exist_ok=True)
    ground = Ground(
        root,
        f"ennio-e2e-{os.getpid()}-{abs(hash(str(root))) % 10**6}",
        path or os.environ["PATH"],
        database,
    )
    try:
        with keepsakes(ground.home / "sessions", root / "transcripts"):
            yield ground
    finally:
        _sweep(ground)


def _sweep(ground: Ground) -> None:
    """Whatever happened, leave the machine as it was."""
    ground.tmux("kill-server")
    for pid in (*ground.processes(), *_of_tmux(ground)):
        _kill(pid)
    tell_to_end(ProxyDirectory(ground.home / "proxy"))
    shutil.rmtree(ground.home / "worktrees", ignore_errors=True)


def _of_tmux(ground: Ground) -> list[int]:
    """The tmux server and its clients, which have nothing of the house in their environment. A
    server does not end before its clients, and a control client whose supervisor was killed while
    it was being told something ends no more: the two wait for each other.
    """
    found = []
    for process in _with("cmdline", ground.socket):
        with suppress(psutil.Error, OSError):
            if "-L" in (words := process.cmdline()) and ground.socket in words:
                found.append(process.pid)
    return found


def _with(file: str, words: str) -> Iterator[psutil.Process]:
    """The processes in whose environment or command line these words are; where there is no
    ``/proc``, all of them. Every house asks some times, and of most processes nothing else is
    wanted.
    """
    for pid in psutil.pids():
        with suppress(psutil.Error, OSError):
            if psutil.LINUX:
                with open(f"/proc/{pid}/{file}", "rb") as told:
                    if os.fsencode(words) not in told.read():
                        continue
            yield psutil.Process(pid)


def nothing_is_left(ground: Ground) -> None:
    """Assert that neither a process nor a terminal of this home is there."""
    eventually(lambda: _nothing(ground), 30, "nothing of this house is left running")


def _nothing(ground: Ground) -> bool:
    left = {pid: _what(pid) for pid in ground.processes()}
    assert not left, f"still running: {left}"
    assert not ground.terminals(), f"terminals: {ground.terminals()}"
    return True


def _none_of(left: dict[str, list[int]]) -> bool:
    assert not left, f"still running: {left}"
    return True


def _what(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())[:200]
    except psutil.Error:
        return "gone by now"


def close(house: Supervised, cleaned: int | None = None) -> None:
    """The regular end: every session is ended by Ennio and cleaned up (where there are hundreds, so
    many of them), then the supervisor; then nothing may be left.
    """
    house.answers()
    house.kill_agents()
    # an agent that ended by itself leaves its terminal standing, so that its last words can be read
    live = [s["id"] for s in house.sessions().values() if s["status"] not in OVER]
    eventually(
        lambda: not [i for i in live if house.session(i)["status"] not in OVER],
        30,
        "every session has ended",
    )
    for name in house.client.get("/sessions")[:cleaned]:
        house.client.post(f"/sessions/{name['id']}/cleanup", {"force": True})
    eventually(lambda: _none_of(house.ground.agents()), 60, "agents end")
    eventually(lambda: not house.ground.terminals(), 30, "terminals are closed")
    house.stop()
    nothing_is_left(house.ground)


@contextmanager
def supervised(
    root: Path,
    *projects: Callable[[Ground], dict[str, Any]],
    files: dict[str, str] | None = None,
    path: str | None = None,
    database: str = "",
    cleaned: int | None = None,
    kind: type[Supervised] = Supervised,
    **settings: Any,
) -> Iterator[Supervised]:
    """A house that runs. When the test went well its end is checked (see ``close``);
    however it went, it is swept.
    """
    with ground_at(root, path, database) as ground:
        repository(ground, files)
        configure(ground, *(make(ground) for make in projects), **settings)
        house = kind(ground)
        house.start()
        try:
            yield house
            close(house, cleaned)
        finally:
            if house.process is not None and house.process.poll() is None:
                house.kill_everything()


def story(*turns: dict[str, Any], speed: float = 20) -> dict[str, Any]:
    """An agent_config that plays these turns."""
    return {"passthrough": {"speed": speed, "story": list(turns)}}


def turn(on: str, steps: Sequence[Any], when: str | None = None) -> dict[str, Any]:
    """One turn of a story."""
    return {"on": on, "steps": list(steps), **({"when": when} if when else {})}
