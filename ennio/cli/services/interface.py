"""What both managers of services offer, and how their commands are run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ennio.cli.services.spec import ServiceSpec
from ennio.model.errors import Conflict, EnnioError, Unreachable

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service is: ``lasting`` says whether it outlives a logout and begins at boot; None
    where nobody could be asked.
    """

    enabled: bool
    active: str
    pid: int | None
    lasting: bool | None


class ServiceManager(Protocol):
    """Who starts services of a person's. Each of these raises Unreachable where it does not
    answer, EnnioError with its own words where it refuses.
    """

    @property
    def name(self) -> str:
        """Which one it is."""
        ...

    @property
    def spec(self) -> ServiceSpec:
        """What it is told."""
        ...

    @property
    def unit(self) -> str:
        """What it calls this service."""
        ...

    @property
    def file(self) -> Path:
        """Where it looks for it."""
        ...

    @property
    def start_command(self) -> str:
        """What a person types to start it."""
        ...

    def text(self) -> str:
        """What belongs into that file."""
        ...

    def insist(self) -> None:
        """Raise Unreachable where it could not be asked for anything."""
        ...

    def enable(self, *, now: bool) -> None:
        """Have it begin with the person's login (at boot, where that lasts), and at once."""
        ...

    def restart(self) -> None:
        """End its supervisor and start it as the file says now; the agents go on."""
        ...

    def disable(self) -> None:
        """Stop it, and have it begin no more; the agents go on."""
        ...

    def forget(self) -> None:
        """Its file is gone."""
        ...

    def state(self) -> ServiceState:
        """How it is now."""
        ...

    def lasting_command(self) -> str:
        """What makes it outlive a logout, and begin at boot; empty where nothing does."""
        ...


def ask(*argv: str, codes: Sequence[int] = (0,)) -> str:
    """What a command prints. Raises Unreachable where it is not there or does not end, EnnioError
    with its words for another exit code than these.
    """
    shown = " ".join(argv)
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError as error:
        raise Unreachable(f"{argv[0]} is not on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"{shown} did not end within {_PATIENCE:g} s") from error
    if done.returncode not in codes:
        words = done.stderr.decode(errors="replace").strip() or f"code {done.returncode}"
        raise EnnioError(f"{shown}: {words}")
    return done.stdout.decode(errors="replace")


def insist_on_ours(file: Path, mark: str) -> bool:
    """Whether the file is there. Raises Conflict where it is not one of ours."""
    try:
        text = file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return False
    if mark not in text:
        raise Conflict(
            f"{file} was not written by Ennio and is left as it is; move it away, then try again"
        )
    return True
