"""A session on another machine: its process is judged there alone, and where nobody knows the
machine nobody judges it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from ennio.actors.orchestrator.session_rows import rows
from ennio.actors.registry import agents_name, runtime_name
from ennio.actors.session_context import context
from ennio.machine.process_table import start_of
from ennio.model.codec import shown
from ennio.model.errors import Refused, Unreachable
from ennio.model.facts import Presence
from ennio.model.session import RuntimeHandle, Session, SessionStatus
from ennio.store import open_store
from tests.actors.ground import Play, Stage


def _ours() -> tuple[int, str]:
    """A process that lives here, and when it began."""
    return os.getpid(), start_of(os.getpid())


def _nobodys() -> tuple[int, str]:
    """One that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid, "1"


def _moved(play: Play, session_id: str, pid: int, born: str) -> None:
    """Write down that the session is on another machine, where its agent has this pid;
    here it has no terminal.
    """
    store = open_store("sqlite:ennio.db", play.root, play.clock)
    handle = RuntimeHandle(session_id, "stub", {"pid": str(pid), "started": born, "number": "1"})
    store.sessions.save(replace(store.sessions.need(session_id), host="b", runtime_handle=handle))
    store.close()
    play.runtime.vanish(session_id)


@pytest.mark.parametrize("process", [_ours, _nobodys])
def test_a_session_on_a_host_nobody_knows_is_unknown_whether_its_pid_is_somebodys_here_or_nobodys(
    play: Play, process: Callable[[], tuple[int, str]]
) -> None:
    with play.opened() as stage:
        session_id, _ = stage.working(), stage.working()  # the second keeps the pollers looking
        started = len(stage.runtime.launches)
    _moved(play, session_id, *process())
    for _ in range(2):
        with play.opened() as stage:
            stage.look()
            session = stage.session(session_id)
            assert session.status is SessionStatus.WORKING, "what was known last"
            assert session.no_signal_since is not None
            assert "host b" in (session.reason or "")
            assert stage.types(session_id).count("signal_lost") == 1, "told once"
            seen = stage.deps.store.facts.get(session_id).process
            assert seen is None or seen.presence is not Presence.GONE
            assert len(stage.runtime.launches) == started, "never started here"


def test_no_order_reaches_it_from_here_and_each_says_why(play: Play) -> None:
    with play.opened() as stage:
        session_id = stage.working()
    _moved(play, session_id, *_ours())
    with play.opened() as stage:
        with pytest.raises(Unreachable, match="host b, which this supervisor does not know"):
            stage.deps.host(stage.session(session_id))
        with pytest.raises(Unreachable, match="host b"):
            stage.orchestrator.sessions.kill(session_id)
        with pytest.raises(Refused, match="host b"):
            stage.orchestrator.sessions.send(session_id, "words")
        assert stage.session(session_id).status is SessionStatus.WORKING
        assert stage.runtime.stopped == []


def _shown_host(stage: Stage, session: Session) -> str:
    (view,) = rows(stage.deps, [session])
    return str(shown(view)["host"])


def test_the_host_of_a_session_is_shown_and_empty_for_this_machine(play: Play) -> None:
    with play.opened() as stage:
        session = stage.session(stage.working())
        assert [_shown_host(stage, one) for one in (session, replace(session, host="b"))] == [
            "",
            "b",
        ]
        assert context(stage.deps, session).host is stage.deps.this_machine


def test_each_host_has_pollers_of_its_own_and_this_machine_keeps_the_names_it_had() -> None:
    assert (runtime_name("tmux"), agents_name()) == ("runtime:tmux", "agents")
    assert (runtime_name("tmux", "b"), agents_name("b")) == ("runtime:b:tmux", "agents:b")
