"""Sessions on another machine, at the end of a line that takes its time: how long one takes to be
begun, to be sent a message and to be removed, how often all can be looked at, what goes over the
line while nothing happens, how soon a hook is heard, and what a session costs the memory of this
process.

The line is a relay to an sshd on loopback. A spawn is what a host does for one: the working copy,
its link, the project's own command, and the agent's terminal. A removal is of one with a commit
that was not pushed. The bare counterpart is the same in this process, and three ways there and
back.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import psutil

from ennio.hosts.elsewhere import FarHost
from ennio.hosts.observation import News
from ennio.hosts.observation import Wanted as WantedOf
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.notify_pipe import REST
from ennio.model.clock import SystemClock
from ennio.plugins.agent import hook_script
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import come
from tests.contract.host_stage import HOOKS, Stage, Stand, stage_at
from tests.ssh.bench import machine_of
from tests.ssh.relay import Line, line_to

KIND = "tmux and worktree"
_WAYS = 3
_NEAR, _DISTANT = 0.05, 0.2
"""Seconds there and back."""


def measure(run: Run) -> Iterator[Figure]:
    """Here, and over lines of two lengths; medians."""
    run.say("sessions over ssh ...")
    times = run.times(3, 10)
    with stage_at("from three threads", KIND) as stage:
        here = [_lived(Stand(stage)) for _ in range(times)]
    with stage_at("over ssh", KIND) as stage:
        with _at_the_end_of(stage, _NEAR):
            Stand(stage).made()  # it is met, and so is the repository
            yield from _lives(here, [_lived(Stand(stage)) for _ in range(times)])
        stands = _launched(stage, run.times(2, 10))
        yield from _looked_at(run, stage, stands)


_Life = Mapping[str, tuple[float, int]]
"""What was done with a session: the seconds it took, and the ways there and back."""
_MOST_WAYS = {"spawn": 5, "send": 5, "remove": 10}


def _lives(here: list[_Life], there: list[_Life]) -> Iterator[Figure]:
    for deed, most in _MOST_WAYS.items():
        bare = statistics.median(life[deed][0] for life in here) + _WAYS * _NEAR
        seconds = statistics.median(life[deed][0] for life in there)
        ways = statistics.median(life[deed][1] for life in there)
        wanted = Wanted("ratio", 1.3) if deed == "spawn" else None
        yield Figure(f"ssh.{deed}", seconds, "s", bare, wanted)
        yield Figure(f"ssh.{deed}.ways", ways, "", float(_WAYS), Wanted("value", most))


def _looked_at(run: Run, stage: Stage, stands: list[tuple[Stand, int]]) -> Iterator[Figure]:
    kept = [stand for stand, _ in stands]
    for seconds in (_NEAR, _DISTANT):
        name = f"ssh.look.{round(seconds * 1000)}"
        with _at_the_end_of(stage, seconds) as line:
            look = _Look(stage, kept)
            come(lambda look=look: look.rests(), 60, "nothing new is seen")  # type: ignore[misc]
            ways, bytes_ = _machine(stage).count.questions, line.bytes
            taken = [look.once() for _ in range(run.times(5, 20))]
            ways = _machine(stage).count.questions - ways
            # what the line itself takes is the least for one
            yield Figure(name, 60 / statistics.median(taken), "per minute", 60 / seconds)
            yield Figure(f"{name}.ways", ways / len(taken), "per look", 1.0, Wanted("value", 3))
            if seconds == _NEAR:
                moved = (line.bytes - bytes_) / len(taken)
                # one look in each five seconds, as a supervisor does where nothing happens
                yield Figure("ssh.idle", moved * 12 / 1024, "KiB/min")
                yield _heard(run, _Hook(stage, kept[0], look))
    yield Figure("ssh.memory", statistics.mean(size for _, size in stands[1:]) / 1024, "KiB")


class _Look:
    """At all of some sessions, each where the one before left off."""

    def __init__(self, stage: Stage, stands: list[Stand]) -> None:
        self._stage, self._stands = stage, stands
        self._cursors: dict[str, Mapping[str, str]] = {}

    def once(self) -> float:
        """How long it took, in seconds."""
        begun, host = time.monotonic(), self._stage.host
        host.survey("tmux", {one.id: one.brief.handle for one in self._stands})
        briefs = [one.brief for one in self._stands]
        wanted = [
            WantedOf(each, self._cursors.get(each.session_id, {}), True, True) for each in briefs
        ]
        for name, read in host.observe(wanted).items():
            self._cursors[name] = read.cursor
        return time.monotonic() - begun

    def rests(self) -> bool:
        """Whether it found nothing that it has to read."""
        before = _machine(self._stage).count.questions
        self.once()
        return _machine(self._stage).count.questions - before <= 2


class _Hook:
    """That of an agent over there, whose host is listened to."""

    def __init__(self, stage: Stage, stand: Stand, look: _Look) -> None:
        self._stage, self._stand = stage, stand
        self._folder = stage.home / "sessions" / stand.id
        ((self._script, text),) = hook_script.files(_machine(stage), self._folder).items()
        self._script.write_text(text)
        self._script.chmod(0o644)
        self._cursor = stage.host.news("", 1).cursor
        look.once()  # from which on its news is waited for

    def is_read(self) -> bool:
        """Whether somebody over there waits for it."""
        self._rests()
        return any((self._stage.home / "notify").glob("[!.]*"))

    def written(self) -> float:
        """How long it takes itself, in seconds."""
        begun = time.monotonic()
        self._stage.run("sh", str(self._script), str(self._folder))
        return time.monotonic() - begun

    def shown(self) -> float:
        """From its beginning to the end of the look that it brings, in seconds."""
        self._rests()
        begun, told = time.monotonic(), News(self._cursor)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.written)
            while not told.sessions:
                told = self._stage.host.news(self._cursor, 30)
            self._stage.host.observe([WantedOf(self._stand.brief, {}, True)])
            taken = time.monotonic() - begun
        self._cursor = told.cursor
        return taken

    def _rests(self) -> None:
        """Nothing is told for longer than is waited between two words."""
        while (told := self._stage.host.news(self._cursor, 2 * REST)).sessions:
            self._cursor = told.cursor


def _heard(run: Run, hook: _Hook) -> Figure:
    """The least for one is the hook itself, and one way there and back."""
    come(hook.is_read, 60, "hooks notify us")
    shown = [hook.shown() for _ in range(run.times(3, 10))]
    alone = [hook.written() for _ in range(run.times(3, 10))]
    return Figure("ssh.hook", statistics.median(shown), "s", statistics.median(alone) + _NEAR)


def _launched(stage: Stage, number: int) -> list[tuple[Stand, int]]:
    """Sessions, each with the bytes of memory that this process has grown by."""
    process, stands = psutil.Process(os.getpid()), list[tuple[Stand, int]]()
    for _ in range(number):
        before, stand = process.memory_info().rss, Stand(stage)
        stand.launched()
        stands.append((stand, max(0, process.memory_info().rss - before)))
    return stands


def _lived(stand: Stand) -> _Life:
    """The life of a session, from its spawn to its removal."""
    life, stage, host = dict[str, tuple[float, int]](), stand.stage, stand.host

    def timed(deed: str, act: Callable[[], object]) -> None:
        begun, ways = time.monotonic(), _ways(stage)
        act()
        life[deed] = time.monotonic() - begun, _ways(stage) - ways

    def spawned() -> None:
        stand.made()
        done = host.launch(stand.brief, 1, HOOKS, "record", False, None)
        stand.brief = replace(stand.brief, handle=done.handle)

    timed("spawn", spawned)
    come(lambda: stand.look().turns >= 1, 60, "its first turn is over")
    words = stand.words("Once more")
    come(lambda: host.obstacle(stand.brief, words) is None, 60, "it takes words")
    timed("send", lambda: host.deliver(stand.brief, words))
    stand.clear()
    stand.brief = replace(stand.brief, ended=True)
    timed("remove", lambda: host.remove(stand.brief))
    return life


def _ways(stage: Stage) -> int:
    return 0 if stage.far is None else stage.far.count.questions


@contextmanager
def _at_the_end_of(stage: Stage, seconds: float) -> Iterator[Line]:
    """The machine of the stage, so long there and back."""
    assert stage.server is not None
    server, account = stage.server
    near, close_by = stage.host, _machine(stage)
    with line_to(server.port, seconds / 2) as line:
        known = server.folder / f"known-{line.port}"
        known.write_text(server.known_host.replace(f":{server.port} ", f":{line.port} "))
        stage.far = machine_of(server, account, port=line.port, known_hosts=known)
        stage.host = FarHost("there", stage.far, SystemClock(), "contract")
        try:
            yield line
        finally:
            stage.far.close()
            stage.far, stage.host = close_by, near


def _machine(stage: Stage) -> SshMachine:
    assert stage.far is not None
    return stage.far


GROUP = Group(
    (
        *(f"ssh.{deed}{figure}" for deed in _MOST_WAYS for figure in ("", ".ways")),
        "ssh.look.50",
        "ssh.look.50.ways",
        "ssh.look.200",
        "ssh.look.200.ways",
        "ssh.idle",
        "ssh.hook",
        "ssh.memory",
    ),
    measure,
)
