"""What of an agent must be on a machine before anything is made there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ennio.hosts.agent_program import insist_beforehand
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused
from ennio.plugins.agent.scripted.agent import ScriptedAgent


class _Machine(LocalMachine):
    """One that has a single program, and maybe another name."""

    def __init__(self, name: str, program: str) -> None:
        super().__init__()
        self._name, self._program = name, program

    @property
    def name(self) -> str:
        return self._name

    def which(self, program: str, path: str | None = None) -> Path | None:
        return Path("/usr/bin/there") if program == self._program else None


def _insist(machine: _Machine) -> None:
    at: Any = SimpleNamespace(
        agent=ScriptedAgent(), brief=SimpleNamespace(post_create=()), path=Path("/work/s1")
    )
    insist_beforehand(machine, machine.name, cast("Any", at), "/usr/bin")


def test_the_scripted_agent_needs_the_python_of_the_machine_it_plays_on() -> None:
    """Met: every spawn over ssh was refused, since our own interpreter is not over there."""
    _insist(_Machine("me@there", "python3"))
    _insist(_Machine("", ScriptedAgent.executable))
    with pytest.raises(Refused, match="python3 is not installed"):
        _insist(_Machine("me@there", ScriptedAgent.executable))
