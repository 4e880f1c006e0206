"""What every terminal promises, held against the stub and the person's own."""

from __future__ import annotations

import os
import subprocess

import pytest

from ennio.model.errors import Refused
from ennio.model.session import RuntimeHandle
from ennio.plugins.terminal.attach import AttachTerminal
from ennio.plugins.terminal.interface import Terminal
from ennio.plugins.terminal.stub import StubTerminal

HANDLE = RuntimeHandle("s-1", "tmux")


@pytest.fixture(params=[StubTerminal, AttachTerminal], ids=["stub", "attach"])
def terminal(request: pytest.FixtureRequest) -> Terminal:
    made: Terminal = request.param()
    return made


def test_it_has_a_name(terminal: Terminal) -> None:
    assert terminal.name


def test_the_command_runs_and_carries_the_runtimes_own_unchanged(terminal: Terminal) -> None:
    attach = ("printf", "%s.", "a b", "$(echo hurt)", ";")
    command = list(terminal.command("s-1", HANDLE, attach))
    assert tuple(command[-len(attach) :]) == attach
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    assert printed.endswith((" a b $(echo hurt) ;\n", "a b.$(echo hurt).;."))


def test_a_runtime_without_a_terminal_is_refused_with_a_way_out(terminal: Terminal) -> None:
    with pytest.raises(Refused, match=r"s-1.*output"):
        terminal.command("s-1", RuntimeHandle("s-1", "process"), ())


def test_attaching_works_from_inside_another_tmux() -> None:
    command = AttachTerminal().command(
        "s-1", HANDLE, ("sh", "-c", "echo ${TMUX:-none} ${TMUX_PANE:-none}")
    )
    env = {**os.environ, "TMUX": "/tmp/tmux-0/default,1,0", "TMUX_PANE": "%1"}
    assert (
        subprocess.run(
            command, env=env, capture_output=True, text=True, check=True, timeout=30
        ).stdout
        == "none none\n"
    )
