"""What is written of a session, where it is doubtful what was written before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ennio.actors.session_state import SessionState
from ennio.model.errors import Unreachable
from tests.actors.ground import Play


def test_after_a_write_that_failed_and_happened_all_the_same_the_row_is_written_whole(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    with play.opened() as stage:
        store = stage.deps.store
        state = SessionState.load(stage.deps, stage.working())
        before = state.memory
        commit = store._connection._commit

        def failing() -> None:
            commit()
            raise Unreachable("the disk did not answer")

        state.memory = replace(before, pull=77)
        with monkeypatch.context() as broken:
            broken.setattr(store._connection, "_commit", failing)
            with pytest.raises(Unreachable):
                state.write()
        assert store.sessions.need(state.session.id).pr_number == 77
        state.memory = before
        state.note_step("looked", "it was looked at")
        assert store.sessions.need(state.session.id).pr_number == before.pull
        assert not state.doubted
