"""Runs the checks of pull requests, a few at a time, and keeps their state in the store.

A row is pending from the moment a check is wanted, so a head is never without its checks. A run
that was cancelled or cut off by a crash ends as unknown, which means: to be run again.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ennio.machine.files import acquire, is_held
from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, Refused, Unreachable, run_out
from ennio.model.local_forge import CheckRow, PullStore
from ennio.model.pulls import CheckState
from ennio.plugins.forge.local import check_log
from ennio.plugins.forge.local.check_run import CheckPaths, CheckRun, end_abandoned
from ennio.plugins.forge.local.check_walls import CheckWalls
from ennio.plugins.forge.local.settings import CheckCommand

log = logging.getLogger(__name__)
LOCK = "lock"
# seconds until a result is written again that could not be, or a check is run again that could not
# be
AGAIN = 1.0
LONGEST = 60.0
_LOCK_WITHIN = 5.0  # a new folder is ours alone; somebody may look whether it is abandoned


@dataclass(frozen=True, slots=True)
class CheckSubject:
    """What is checked: the head of a pull request's branch against its base."""

    head: str
    branch: str
    base: str
    number: int


@dataclass(frozen=True, slots=True)
class _Job:
    row: CheckRow
    run: CheckRun
    log: Path


class CheckPool:
    """The checks of one project. Threads start with the first check; ``close`` ends everything.

    Check-outs lie in a folder of this pool alone, under a lock the kernel drops with the process:
    so the leftovers of a pool that was killed can be told from the work of one that lives.
    """

    def __init__(
        self,
        project_id: str,
        repository: Path,
        directory: Path,
        store: PullStore,
        clock: Clock,
        *,
        slots: int,
        walls: CheckWalls | None = None,
    ) -> None:
        self._project_id = project_id
        self._repository = repository
        self._directory = directory
        self._store = store
        self._clock = clock
        self._slots = slots
        self._walls = walls
        self._home = directory / "checks" / uuid.uuid4().hex[:8]
        self._lock = threading.Lock()
        self._jobs: dict[tuple[str, str], _Job] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._held: int | None = None
        self._closed = False

    def queue(self, subject: CheckSubject, command: CheckCommand, number: int) -> None:
        """Want run ``number`` of a check; it replaces one of the same name
        and head that is under way.

        Raises Refused when there is no place for check-outs.
        """
        row = CheckRow(self._project_id, subject.head, command.name, CheckState.PENDING, number)
        written = check_log.path_of(self._directory, subject.head, command.name, number)
        paths = CheckPaths(self._repository, self._home / uuid.uuid4().hex[:12], written)
        job = _Job(
            row,
            CheckRun(
                command, subject.head, paths, self._environment(subject, command), self._walls
            ),
            paths.log,
        )
        with self._lock:
            if self._closed:
                return
            executor = self._started()
            older = self._jobs.get((subject.head, command.name))
            self._jobs[subject.head, command.name] = job
            try:
                self._store.save_check(row)
            # whether that was kept is not known when it fails; a job that stands here is always run
            finally:
                executor.submit(self._perform, job).add_done_callback(_report)
        if older is not None:
            older.run.stop()

    def cancel(self, head: str) -> None:
        """End the checks of a head nobody waits for any more."""
        with self._lock:
            jobs = [job for key, job in self._jobs.items() if key[0] == head]
        for job in jobs:
            job.run.stop()

    def recover(self, needed: frozenset[str]) -> None:
        """Clean up after pools that died: unfinished rows become unknown, their
        processes and folders go.

        ``needed`` are the heads whose logs are kept however old. Raises Unreachable where processes
        outlive being killed: then nothing is begun again yet.
        """
        with self._lock:
            alive = set(self._jobs)
        for row in self._store.unfinished_checks(self._project_id):
            if (row.head, row.name) not in alive:
                self._store.save_check(
                    replace(row, state=CheckState.UNKNOWN, finished_at=self._clock.now())
                )
        for folder in (self._directory / "checks").glob("*"):
            if folder != self._home and _is_abandoned(folder):
                end_abandoned(folder)
                shutil.rmtree(folder, ignore_errors=True)
        check_log.forget_old(self._directory, self._clock.now(), needed)

    def close(self) -> None:
        """End all checks with their processes and wait for that; what was unfinished is unknown."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs.values())
        for job in jobs:
            job.run.stop()
        if self._executor is not None:
            self._executor.shutdown()
        if self._held is not None:
            _release(self._held, self._home)
            self._held = None

    def _started(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._held = _acquire(self._home)
            self._executor = ThreadPoolExecutor(
                self._slots, thread_name_prefix=f"checks-{self._project_id}"
            )
        return self._executor

    def _environment(self, subject: CheckSubject, command: CheckCommand) -> dict[str, str]:
        return {
            "ENNIO_PROJECT": self._project_id,
            "ENNIO_PULL": str(subject.number),
            "ENNIO_BRANCH": subject.branch,
            "ENNIO_BASE": subject.base,
            "ENNIO_HEAD": subject.head,
            "ENNIO_CHECK": command.name,
        }

    def _perform(self, job: _Job) -> None:
        row = replace(job.row, started_at=self._clock.now(), log=str(job.log))
        state, code = CheckState.UNKNOWN, None
        try:
            if not job.run.stopped:
                self._keep(job, row)
                state, code = self._outcome(job)
        finally:
            self._keep(
                job, replace(row, state=state, exit_code=code, finished_at=self._clock.now())
            )

    def _outcome(self, job: _Job) -> tuple[CheckState, int | None]:
        """What a run amounts to; what could not be reached, or the machine had no more of, says
        nothing of the check: it is run again.
        """
        pause = AGAIN
        while True:
            try:
                return _outcome(job)
            except Unreachable as error:
                log.warning(
                    "check not run, trying again",
                    extra={"project": self._project_id, "check": job.row.name, "error": str(error)},
                )
            until = time.monotonic() + pause
            while time.monotonic() < until:
                if self._closed or job.run.stopped:
                    return CheckState.UNKNOWN, None
                time.sleep(min(AGAIN, pause))
            pause = min(2 * pause, LONGEST)

    def _keep(self, job: _Job, row: CheckRow) -> None:
        """Record it; what cannot be written just now is written later, or a
        check would never be through.
        """
        while True:
            try:
                self._record(job, row)
            except Unreachable as error:
                log.warning(
                    "check not kept, trying again",
                    extra={"project": self._project_id, "error": str(error)},
                )
                if self._closed:
                    return
                time.sleep(AGAIN)
            else:
                return

    def _record(self, job: _Job, row: CheckRow) -> None:
        """Keep the row, unless a later run of the same check has taken its place."""
        key = (row.head, row.name)
        with self._lock:
            if self._jobs.get(key) is job:
                self._store.save_check(row)
                if row.finished_at is not None:
                    del self._jobs[key]


def _outcome(job: _Job) -> tuple[CheckState, int | None]:
    """What a run amounts to; one that could not be started fails, saying why in its
    log. Raises Unreachable.
    """
    code = None
    try:
        code = job.run.execute()
    except (EnnioError, OSError) as error:
        unknown = error if isinstance(error, Unreachable) else run_out(error)
        if unknown is not None and not job.run.stopped:
            raise unknown from error
        job.log.parent.mkdir(parents=True, exist_ok=True)
        job.log.write_text(f"ennio: {job.row.name} could not be run: {error}\n", errors="replace")
    if job.run.stopped:
        return CheckState.UNKNOWN, None
    return (CheckState.PASSING if code == 0 else CheckState.FAILING), code


def _report(future: Future[None]) -> None:
    """Log a bug in a worker, which would be swallowed otherwise."""
    if not future.cancelled() and future.exception() is not None:
        log.error("a check ended in a bug", exc_info=future.exception())


def _acquire(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = acquire(folder / LOCK, patience=_LOCK_WITHIN)
    except OSError as error:
        raise Refused(
            f"checks cannot be run: there is no place for check-outs in {folder.parent}: {error}"
        ) from error
    if held is None:
        raise Unreachable(f"another process holds {folder / LOCK}: checks are run once it lets go")
    return held


def _release(held: int, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


def _is_abandoned(folder: Path) -> bool:
    """Whether nobody holds the folder's lock: whoever made it is dead."""
    return not is_held(folder / LOCK)
