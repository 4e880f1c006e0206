"""Puts an ennio-node on another machine and starts it there: what stands already is found, what is
missing is said with the command that mends it, and each step is reported with what came of it.

Nothing is fetched over there. The node lives in an environment of its own below Ennio's folder,
and is started so that it outlives the connection; its token goes there in a file that is removed
at once.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ennio.hosts.node_link import Report
from ennio.machine.interface import Command, CompletedCommand, Machine
from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, Refused, Unreachable
from ennio.model.failpoints import failpoint
from ennio.model.node import NodeStep, StepName
from ennio.node import bundle, over_there
from ennio.node.bundle import Target
from ennio.node.over_there import Found

_LOOKING, _PACKING, _INSTALLING = 60.0, 900.0, 300.0
_TOLD = 2000  # characters of what a program said


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """How a node is to run: on which port, until it was idle for how long (seconds), below which
    folder (None: Ennio's), and which program (None: the one that is put there).
    """

    port: int
    idle_timeout: float
    root: str | None
    program: str | None
    token: str = field(repr=False)


class DeploymentFailed(EnnioError):
    """A step failed; ``output`` is what the program over there said."""

    def __init__(self, why: EnnioError, output: str) -> None:
        self.why = why
        self.output = output
        super().__init__(str(why))


class Steps:
    """Reports each step as it ends."""

    def __init__(self, report: Report, clock: Clock) -> None:
        self._report = report
        self._clock = clock

    @contextmanager
    def step(self, name: StepName) -> Iterator[list[str]]:
        """One step; what is put into the list are the words for it."""
        words: list[str] = []
        try:
            yield words
        except DeploymentFailed as failed:
            self._tell(name, ok=False, words=str(failed.why), output=failed.output)
            raise failed.why from failed
        except EnnioError as error:
            self._tell(name, ok=False, words=str(error))
            raise
        except OSError as error:
            self._tell(name, ok=False, words=str(error))
            raise Refused(f"{name}: {error}") from error
        self._tell(name, ok=True, words="; ".join(words))

    def _tell(self, name: StepName, *, ok: bool, words: str, output: str = "") -> None:
        self._report(NodeStep(name, self._clock.now(), ok, words, output[-_TOLD:]))


class Deployment:
    """One machine. ``folder`` is where files for other machines are kept here."""

    def __init__(self, host: str, machine: Machine, settings: NodeSettings, folder: Path) -> None:
        self._host = host
        self._machine = machine
        self._settings = settings
        self._pid: int | None = None
        self._folder = folder
        home = machine.environ.get("ENNIO_HOME") or str(machine.home / ".ennio")
        self.home = PurePosixPath(home)
        self.root = self._expanded(settings.root) if settings.root else home
        self.log = Path(self.home / f"node-{settings.port}.log")

    @failpoint("node.deploy")
    def run(self, steps: Steps) -> None:
        """Have it there and start it. Raises Refused, Unreachable."""
        with steps.step(StepName.LOOK) as words:
            found = self._look()
            words.append(found.system)
            if lacks := found.lacks(self._host):
                words.append(lacks)
        program = self._named(found) or found.programs.get(bundle.digest())
        if program is None:
            program = self._put(found, steps)
        with steps.step(StepName.START) as words:
            self._start(program)
            words.append(f"{program} on port {self._settings.port}, below {self.root}")

    def has_ended(self) -> bool:
        """Whether what was started there is gone again. Raises Unreachable."""
        if self._pid is None:
            return False
        entry = self._machine.processes([self._pid]).get(self._pid)
        return entry is None or entry.ended

    def tail(self) -> str:
        """The end of its log."""
        done = self._machine.run(Command(("tail", "-n", "15", str(self.log)), timeout=_LOOKING))
        return done.stdout.decode(errors="replace")

    # --- looking ----------------------------------------------------------------------------------

    def _look(self) -> Found:
        program = self._expanded(self._settings.program) if self._settings.program else ""
        done = self._sh(over_there.LOOK, str(self.home), program, timeout=_LOOKING)
        return Found.read(done.stdout.decode(errors="replace"))

    def _named(self, found: Found) -> str | None:
        if self._settings.program is None:
            return None
        if not found.named:
            raise Refused(
                f"ennio_binary_path: {self._settings.program} is no program on {self._host}: "
                "install one there, or leave the key out to have one put there"
            )
        return self._expanded(self._settings.program)

    def _expanded(self, path: str) -> str:
        """A path over there, whose ``~`` is the home of who logs in."""
        return str(self._machine.home) + path[1:] if path == "~" or path[:2] == "~/" else path

    # --- putting it there -------------------------------------------------------------------------

    def _put(self, found: Found, steps: Steps) -> str:
        with steps.step(StepName.PACK) as words:
            python, target = found.python(self._host)
            file = self._packed(target)
            words.append(f"for {target.words}")
        digest = bundle.digest()
        programs = self.home / "programs"
        archive, to = programs / f"{file.name}.part", programs / digest
        with steps.step(StepName.COPY) as words:
            content = file.read_bytes()
            self._machine.make_folder(Path(self.home), private=True)
            self._machine.make_folder(Path(programs), private=True)
            self._machine.write(Path(archive), content)
            words.append(f"{len(content) / 2**20:.1f} MiB")
        with steps.step(StepName.INSTALL) as words:
            command = (python, "-I", "-c", over_there.INSTALL, str(archive), str(to), digest)
            self._checked(self._machine.run(Command(command, timeout=_INSTALLING)), "install it")
            words.append(f"{to}, by {python}")
        return str(to / "bin" / "ennio-node")

    def _packed(self, target: Target) -> Path:
        """Made by a process of its own: it takes a second of a processor."""
        command = [sys.executable, "-I", "-m", "ennio.node.bundle"]
        words = [target.python, target.machine, target.libc or "-", str(self._folder / "bundles")]
        done = subprocess.run(
            [*command, *words],
            capture_output=True,
            text=True,
            timeout=_PACKING,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            said = done.stderr.strip()
            raise DeploymentFailed(
                Refused(said.splitlines()[-1] if said else "packing failed"), said
            )
        return Path(done.stdout.splitlines()[-1])

    # --- starting it ------------------------------------------------------------------------------

    def _start(self, program: str) -> None:
        token = Path(self.home / f".node-token-{secrets.token_hex(8)}")
        self._machine.make_folder(Path(self.home), private=True)
        self._machine.write(token, self._settings.token.encode(), mode=0o600)
        own = self._settings
        done = self._sh(
            over_there.START,
            *(program, str(own.port), f"{own.idle_timeout:g}", self.root, str(token)),
            str(self.log),
            timeout=_LOOKING,
        )
        self._checked(done, "start it")
        told = done.stdout.split()
        self._pid = int(told[-1]) if told and told[-1].isdigit() else None

    def _sh(self, script: str, *words: str, timeout: float) -> CompletedCommand:
        return self._machine.run(Command(("sh", "-c", script, "sh", *words), timeout=timeout))

    def _checked(self, done: CompletedCommand, what: str) -> None:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        if done.overdue is not None:
            raise DeploymentFailed(Unreachable(f"{self._host} took too long to {what}"), said)
        if done.code:
            last = said.splitlines()[-1] if said else f"it ended with {done.code}"
            raise DeploymentFailed(Refused(f"{self._host} could not {what}: {last}"), said)
