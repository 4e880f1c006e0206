"""What was asked of a machine ahead of its need, all at once, and what was told."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from ennio.machine.interface import (
    Command,
    CompletedCommand,
    FilePart,
    FileSpan,
    FileState,
    ProcessEntry,
)
from ennio.machine.questions import NOTHING_ASKED, NextLook, Questions
from ennio.machine.ssh import errors, file_looks, files
from ennio.machine.ssh.file_looks import A_BYTE, FileLooks
from ennio.machine.ssh.processes import ProcessListing, RemoteProcesses

T = TypeVar("T")
_LASTS = 5.0
"""Seconds for which is believed what was told to a look of whoever comes next."""


@dataclass(slots=True)
class Told:
    """The answers, each by its question."""

    states: dict[Path, FileState | OSError] = field(default_factory=dict)
    links: dict[Path, FileState | OSError] = field(default_factory=dict)
    real: dict[Path, Path] = field(default_factory=dict)
    files: dict[FileSpan, FilePart | OSError] = field(default_factory=dict)
    folders: dict[Path, tuple[str, ...] | OSError] = field(default_factory=dict)
    programs: dict[tuple[str, str | None], str | None] = field(default_factory=dict)
    commands: list[tuple[Command, CompletedCommand]] = field(default_factory=list)
    processes: ProcessListing | None = None
    entries: dict[int, ProcessEntry | None] = field(default_factory=dict)
    marked: dict[str, tuple[tuple[ProcessEntry, str], ...]] = field(default_factory=dict)

    def missing(self, asked: Questions) -> Questions:
        """What of these was not told yet."""
        return Questions(
            [path for path in asked.states if path not in self.states],
            [path for path in asked.links if path not in self.links],
            [path for path in asked.real if path not in self.real],
            [span for span in asked.files if self.part(span) is None],
            [folder for folder in asked.folders if folder not in self.folders],
            [program for program in asked.programs if program not in self.programs],
            [command for command in asked.commands if self.completed(command) is None],
            processes=asked.processes and self.processes is None,
            pids=[pid for pid in asked.pids if pid not in self.entries],
            marked=[variable for variable in asked.marked if variable not in self.marked],
        )

    def add(self, other: Told) -> None:
        """What was told besides."""
        self.states |= other.states
        self.links |= other.links
        self.real |= other.real
        self.files |= other.files
        self.folders |= other.folders
        self.programs |= other.programs
        self.commands += other.commands
        self.entries |= other.entries
        self.marked |= other.marked
        self.processes = other.processes if self.processes is None else self.processes

    def made(self, folder: Path) -> None:
        """A folder may have been made, with those above it: what was not in it is not yet."""
        self.commands.clear()
        above = {folder, *folder.parents}
        for known in (self.states, self.links, self.folders):
            for one in above & known.keys():
                del known[one]

    def forget(self, path: Path) -> None:
        """What lies at a path was changed: it, what is below it and what it lies in."""
        self.commands.clear()
        for known in (self.states, self.links, self.real, self.folders):
            for one in [one for one in known if _is_near(one, path)]:
                del known[one]
        for span in [span for span in self.files if _is_near(span.path, path)]:
            del self.files[span]

    def part(self, span: FileSpan) -> FilePart | OSError | None:
        """What was read of a file, where that is all that is wanted of it."""
        if span in self.files:
            return self.files[span]
        for known, found in self.files.items():
            if (known.path, known.follow, known.offset) != (span.path, span.follow, 0):
                continue
            if isinstance(found, OSError):
                return found
            if span.offset == 0 and len(found.data) < known.most:
                return FilePart(found.data[: max(0, span.most)], 0, found.state)
        return None

    def completed(self, command: Command) -> CompletedCommand | None:
        """How a command ended."""
        return next((done for one, done in self.commands if one == command), None)


class ForeseenAnswers(threading.local):
    """Those of one thread; None where nothing was asked ahead."""

    told: Told | None = None
    look: NextLook | None = None
    """Of whoever comes next, where somebody does."""

    def changed(self, *paths: Path) -> None:
        """Something may be different there now."""
        for told in self._all:
            for path in paths:
                told.forget(path)

    def made(self, folder: Path) -> None:
        """A folder may be there now."""
        for told in self._all:
            told.made(folder)

    def forget(self) -> None:
        """Anything may be different now."""
        if self.told is not None:
            self.told = Told()
        if self.look is not None:
            self.look.told = None

    def tell_next(self, told: Told) -> None:
        """What the look of whoever comes next asks was told just now."""
        if self.look is not None:
            self.look.told, self.look.at = told, time.monotonic()

    @property
    def asked_next(self) -> Questions:
        """What that look asks."""
        return NOTHING_ASKED if self.look is None else self.look.questions

    @property
    def _all(self) -> tuple[Told, ...]:
        both = (self.told, None if self.look is None else self.look.told)
        return tuple(told for told in both if isinstance(told, Told))


def told_before(look: NextLook | None) -> Told:
    """What a look was told, where that was a moment ago."""
    if look is None or time.monotonic() - look.at > _LASTS or not isinstance(look.told, Told):
        return Told()
    return look.told


def takes(questions: Questions) -> float:
    """Seconds more that what is to be read may take than what takes no time."""
    return A_BYTE * sum(min(span.most, 1 << 26) for span in questions.files)


class _Section(NamedTuple):
    """A part of the question, and what takes its answer: the mark, what was told, its code."""

    body: bytes
    take: Callable[[bytes, bytes, int], None]


class Foresight:
    """Asks and reads all but the commands."""

    def __init__(self, looks: FileLooks, processes: RemoteProcesses) -> None:
        self._looks, self._processes = looks, processes

    def question(self, questions: Questions, output: bytes = b"") -> bytes:
        """What is sent. ``output`` is the file of what was printed before, as a shell names it."""
        return b"".join(
            b"( %b\n) 2>&1; printf '%%s#%%d\\n' \"$ennio_n\" $?\n" % section.body
            for section in self._sections(questions, Told(), output)
        )

    def read(self, nonce: bytes, out: bytes, questions: Questions) -> Told:
        """What came back."""
        told = Told()
        pieces = re.split(re.escape(nonce) + rb"#(\d+)\n", out)
        sections = self._sections(questions, told)
        for section, text, code in zip(sections, pieces[::2], pieces[1::2], strict=False):
            section.take(nonce, text, int(code))
        return told

    def _sections(self, asked: Questions, told: Told, output: bytes = b"") -> Iterator[_Section]:
        yield from self._about_files(asked, told)
        for folder in _once(asked.folders):
            yield _Section(files.listing(folder), partial(_take_names, folder, told))
        for program, path in asked.programs:
            taken = partial(_take_program, (program, path), told)
            yield _Section(files.finding(program, path), taken)
        if asked.processes:
            yield _Section(self._processes.listing(), partial(self._take_processes, told))
        if pids := tuple(pid for pid in asked.pids if pid > 0):
            yield _Section(self._processes.asking(pids), partial(self._take_entries, pids, told))
        if asked.printed is not None:
            body = self._processes.asking_printed(output, asked.printed)
            yield _Section(body, partial(self._take_printed, told))
        for variable in asked.marked:
            marking = self._processes.marking(variable)
            if marking is not None:
                yield _Section(marking, partial(self._take_marked, variable, told))

    def _about_files(self, asked: Questions, told: Told) -> Iterator[_Section]:
        for paths, follow in ((_once(asked.states), True), (_once(asked.links), False)):
            if paths:
                into = told.states if follow else told.links
                body = self._looks.look(paths, follow=follow)
                yield _Section(body, partial(_take_states, paths, into))
        if real := _once(asked.real):
            yield _Section(files.resolving(real), partial(_take_real, real, told))
        for follow in (True, False):
            if spans := tuple(span for span in _once(asked.files) if span.follow is follow):
                yield _Section(self._looks.reading(spans), partial(_take_parts, spans, told))

    def _take_entries(
        self, pids: Sequence[int], told: Told, _nonce: bytes, out: bytes, _code: int
    ) -> None:
        found = self._processes.read(out)
        told.entries |= {pid: found.get(pid) for pid in pids}

    def _take_printed(self, told: Told, _nonce: bytes, out: bytes, _code: int) -> None:
        told.entries |= self._processes.read(out)

    def _take_marked(self, variable: str, told: Told, nonce: bytes, out: bytes, _code: int) -> None:
        told.marked[variable] = self._processes.were_marked(variable, nonce, out)

    def _take_processes(self, told: Told, _nonce: bytes, out: bytes, _code: int) -> None:
        told.processes = self._processes.listed(out)


def _take_states(
    paths: Sequence[Path],
    into: dict[Path, FileState | OSError],
    nonce: bytes,
    out: bytes,
    _code: int,
) -> None:
    into.update(zip(paths, file_looks.states(nonce, out, paths) or (), strict=False))


def _take_real(paths: Sequence[Path], told: Told, _nonce: bytes, out: bytes, code: int) -> None:
    if code == 0:
        told.real.update(zip(paths, files.reals(out), strict=False))


def _take_parts(
    spans: Sequence[FileSpan], told: Told, nonce: bytes, out: bytes, _code: int
) -> None:
    told.files.update(zip(spans, file_looks.parts(nonce, out, spans) or (), strict=False))


def _take_names(folder: Path, told: Told, _nonce: bytes, out: bytes, code: int) -> None:
    told.folders[folder] = errors.system_error(out, folder) if code else files.names(out)


def _take_program(
    asked: tuple[str, str | None], told: Told, _nonce: bytes, out: bytes, code: int
) -> None:
    told.programs[asked] = files.found(out, code)


def _once(asked: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(asked))


def _is_near(known: Path, changed: Path) -> bool:
    return known == changed or changed in known.parents or known in changed.parents
