"""A host that takes its time: what is asked of it stands beside a session's mailbox."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from ennio.actors import waiting_orders
from ennio.actors.messages import Ping
from ennio.actors.registry import session_name
from ennio.hosts.plugin_host import PluginHost
from ennio.model.errors import Conflict, Unreachable
from ennio.model.session import Activity, SessionStatus
from tests.actors.ground import Stage


@pytest.mark.parametrize("call", ["interrupt", "answer"])
def test_a_kill_never_waits_behind_a_host_that_is_slow(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    session_id, asked, goes_on = stage.working(), Event(), Event()
    stage.says(session_id, Activity.WAITING_INPUT)

    def slow(*_: object) -> None:
        asked.set()
        goes_on.wait(60)

    monkeypatch.setattr(PluginHost, call, slow)
    sessions = stage.orchestrator.sessions
    words = {"interrupt": (session_id,), "answer": (session_id, "yes")}[call]
    asking = gevent.spawn(getattr(sessions, call), *words)
    assert asked.wait(20), "the host is asked"
    assert stage.deps.actors.ask(session_name(session_id), Ping(), timeout=2)
    monkeypatch.setattr(waiting_orders, "PATIENCE", 0.05)
    with pytest.raises(Conflict, match="being attended to"):
        sessions.answer(session_id, "no")
    sessions.kill(session_id)
    stage.until(session_id, SessionStatus.KILLED)
    goes_on.set()
    with pytest.raises(Conflict, match="it is being ended"):
        asking.get(timeout=30)


def test_a_host_that_cannot_be_asked_is_told_to_who_asked(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()

    def away(*_: object) -> None:
        raise Unreachable("no route to it")

    monkeypatch.setattr(PluginHost, "interrupt", away)
    with pytest.raises(Unreachable, match="no route"):
        stage.orchestrator.sessions.interrupt(session_id)
    assert stage.session(session_id).status is SessionStatus.WORKING
