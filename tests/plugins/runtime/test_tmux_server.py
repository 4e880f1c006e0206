"""A tmux server whose socket was taken away: it is called back, and where that
cannot be nothing is known.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import Unreachable
from ennio.plugins.runtime.tmux import TmuxRuntime
from ennio.plugins.runtime.tmux_server import TmuxServer
from tests.conftest import eventually, need
from tests.contract.runtime_bench import Bench, tmux_bench
from tests.contract.test_runtime import take_away


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from tmux_bench(tmp_path)


def test_a_server_whose_socket_was_taken_away_is_called_back_and_no_agent_is_lost(
    bench: Bench,
) -> None:
    handle = bench.start()
    assert not bench.pane().dead
    take_away(bench, for_good=False)
    pane = bench.pane()
    assert (str(pane.pid), pane.dead) == (handle.data["pid"], False)


def test_incident_10_a_server_that_cannot_come_back_proves_nothing(bench: Bench) -> None:
    bench.start()
    assert not bench.pane().dead
    bench.runtime.shutdown()  # type: ignore[attr-defined] # a kept client goes on without the socket, and sees the agent
    take_away(bench, for_good=True)
    with pytest.raises(Unreachable, match="lost its socket"):
        bench.runtime.survey()


def test_a_kept_client_sees_the_agents_though_the_socket_is_gone_for_good(bench: Bench) -> None:
    handle = bench.start()
    assert not bench.pane().dead
    take_away(bench, for_good=True)
    assert (str(bench.pane().pid), bench.pane().dead) == (handle.data["pid"], False)


def test_nobody_is_called_back_while_another_server_listens(bench: Bench) -> None:
    handle = bench.start()
    take_away(bench, for_good=False)
    other = bench.again()
    name = f"{bench.name}-other"
    other.start(bench.launch(name=name))  # a second server stands where the first one did
    assert set(other.survey()) == {name}
    bench.runtime.stop(handle)
    assert set(other.survey()) == {name}


def test_a_server_that_ended_is_not_waited_for(bench: Bench) -> None:
    handle = bench.start()
    assert not bench.pane().dead
    bench.runtime.stop(handle)
    eventually(lambda: bench.runtime.survey() == {})


def test_an_unknown_server_is_not_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    assert TmuxServer(LocalMachine(), "nobody").is_refusing()
    assert not TmuxServer(LocalMachine(), "nobody").restore_socket((0, ""))


def test_a_server_that_begins_between_two_looks_makes_no_answer_doubtful(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("tmux")
    runtime = TmuxRuntime(LocalMachine(), f"ennio-{uuid.uuid4().hex[:8]}")
    looks = iter((True, False))
    monkeypatch.setattr(runtime._server, "is_refusing", lambda: next(looks))
    assert runtime._client.ask(["list-sessions"]) is None
    assert next(looks) is False
