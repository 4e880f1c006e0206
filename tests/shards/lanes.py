"""Runs jobs side by side: in each lane so many at once, each with a log of its own; nothing
of them outlives the run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psutil

from tests.shards.record import Record, read

ROOT = Path(__file__).resolve().parents[2]
GRACE = 20.0  # seconds an interrupted test may take to clear away what it started
NO_TESTS = 5  # pytest's exit code
BUSY = "busy"  # the lane of those that need the processor
STORIES = "stories"  # the lane of whole houses: they wait and work
NICE = {BUSY: 10, STORIES: 5}
"""Real agents go first: what Ennio says of them is judged by the second."""

Say = Callable[[str], None]
Rooms = Callable[[str, AbstractSet[str]], int]
"""How many jobs of a lane may run at once, given the lanes that are not over."""


@dataclass(frozen=True, slots=True)
class Job:
    """A process to run: a check, or (``tests``) pytest on these paths. ``after``: the job without
    whose success it makes no sense.
    """

    name: str
    lane: str
    words: tuple[str, ...]
    tests: bool = True
    after: str = ""
    limit: float = 1200.0

    def command(self, place: Path) -> tuple[str, ...]:
        if not self.tests:
            return self.words
        told = ("-p", "tests.shards.record", "--record", str(place / f"{self.name}.jsonl"))
        return (
            sys.executable,
            "-m",
            "pytest",
            *told,
            "--basetemp",
            str(place / self.name),
            *self.words,
        )


@dataclass(slots=True)
class Run:
    """A job that was started, in a process group of its own; ``code`` is
    None until it has ended.
    """

    job: Job
    place: Path
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    code: int | None = None
    trouble: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.place / f"{self.job.name}.log"

    @property
    def words(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def record(self) -> Record:
        return read(self.place / f"{self.job.name}.jsonl")

    @property
    def good(self) -> bool:
        return self.code == 0 and not self.trouble

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.job.command(self.place),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self._own(),
                process_group=0,
            )
        if self.job.lane in NICE:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, NICE[self.job.lane])

    def _own(self) -> dict[str, str]:
        """A test shares nobody's git configuration and caches; a check may have them."""
        home = self.place / f"{self.job.name}.home"
        home.mkdir()
        return {"TMPDIR": str(self.place)} | ({"HOME": str(home)} if self.job.tests else {})

    def look(self) -> None:
        """Notice its end, and end it when it takes longer than it may."""
        assert self.process is not None
        self.seconds = time.monotonic() - self.begun
        self.code = self.process.poll()
        if self.code is not None:
            self.trouble = self.trouble or trouble(self)
        elif self.seconds > self.job.limit and not self.trouble:
            self.trouble = f"did not end within {self.job.limit:g} s{_during(self.record)}"
            end([self])

    def signal(self, number: int) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def trouble(run: Run) -> str:
    """What is wrong with how a job ended, beyond tests that failed."""
    code, record = run.code, run.record
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}{_during(record)}"
    if not run.job.tests:
        return f"ended with {code}" if code else ""
    if code == NO_TESTS or (code == 0 and not record.collected):
        return "ran no tests"
    if code not in (0, 1):
        return f"ended with {code}{_during(record)}"
    if len(record.results) != record.collected:
        return f"ended after {len(record.results)} of {record.collected} tests{_during(record)}"
    if (code == 1) != bool(record.count("failed")):
        return f"ended with {code}, and {record.count('failed')} of its tests failed"
    return ""


def _during(record: Record) -> str:
    return f", in {record.running}" if record.running else ""


def end(runs: Sequence[Run]) -> None:
    """Interrupt them, so that their tests clear away after themselves;
    kill those that do not end.
    """
    for run in runs:
        run.signal(signal.SIGINT)
    deadline = time.monotonic() + GRACE
    for run in runs:
        assert run.process is not None
        with suppress(subprocess.TimeoutExpired):
            run.process.wait(max(0.0, deadline - time.monotonic()))
        run.signal(signal.SIGKILL)
        run.process.wait()


def run_all(
    jobs: Sequence[Job], rooms: Rooms, place: Path, say: Say, every: float = 15.0
) -> list[Run]:
    """Run the jobs in their order, in each lane as many at once as it has room for.

    Says what ended and, every so many seconds, how far the others are. However it is left, nothing
    that it started runs on.
    """
    todo, running, ended = list(jobs), list[Run](), list[Run]()
    begun = said = time.monotonic()
    try:
        while todo or running:
            lanes = {job.lane for job in todo} | {run.job.lane for run in running}
            for job in [
                job for job in todo if not job.after or job.after in {run.job.name for run in ended}
            ]:
                if not _possible(job, ended):
                    ended.append(Run(job, place, trouble=f"was not run, since {job.after} failed"))
                    todo.remove(job)
                elif sum(run.job.lane == job.lane for run in running) < rooms(job.lane, lanes):
                    running.append(Run(job, place))
                    running[-1].start()
                    todo.remove(job)
            threading.Event().wait(0.1)
            for run in list(running):
                run.look()
                if run.code is not None:
                    running.remove(run)
                    ended.append(run)
                    say(f"{_clock(begun)}  {told(run)}")
            if running and time.monotonic() - said > every:
                said = time.monotonic()
                say(f"{_clock(begun)}  {', '.join(map(_far, running))}")
    finally:
        end(running)
        for words in sweep(place):
            say(f"ended what was left running: {words}")
    return ended


def _possible(job: Job, ended: Sequence[Run]) -> bool:
    return all(run.good for run in ended if run.job.name == job.after)


def _clock(begun: float) -> str:
    return "{:d}:{:02d}".format(*divmod(int(time.monotonic() - begun), 60))


def _far(run: Run) -> str:
    record = run.record
    return (
        f"{run.job.name} {len(record.results)}/{record.collected or '?'}"
        if run.job.tests
        else run.job.name
    )


def told(run: Run) -> str:
    """How a job ended, in one line."""
    record = run.record
    counts = [
        f"{record.count(outcome)} {outcome}"
        for outcome in ("passed", "failed", "skipped")
        if record.count(outcome)
    ]
    words = ", ".join([*counts, run.trouble] if run.trouble else counts) or "fine"
    return f"{run.job.name}: {words} ({run.seconds:.0f} s)"


def sweep(place: Path) -> list[str]:
    """Kill every process whose environment names this place and tell which they were."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and _belongs(process, str(place)):
                found.append(f"{process.pid} {' '.join(process.cmdline())[:150]}")
                process.kill()
    return found


def _belongs(process: psutil.Process, place: str) -> bool:
    if process.status() == psutil.STATUS_ZOMBIE:
        return False
    return any(place in value for value in process.environ().values())


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within it, Ctrl-C, TERM and HUP leave as an exception does, also where they were ignored:
    then children are ended.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        for other in kept:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    kept = {
        number: signal.signal(number, leave)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
