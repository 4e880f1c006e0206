"""What an older version remembered of a session's life is read by the names it has now."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ennio.model import codec
from ennio.model.clock import ManualClock
from ennio.model.facts import Presence
from ennio.model.session import Session
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.lifecycle.state import Desired, Phase
from ennio.store import migrations, open_store
from tests.store.older import insert_session

OLD = '{"status":"working","status_since":"2026-01-01T00:00:00+00:00","wish":"watch","stage":"launched","launches":2}'


@pytest.mark.parametrize("text", [OLD, "no object", "[]"])
def test_the_state_of_a_life_is_read_by_its_old_names(
    tmp_path: Path, session: Session, text: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:13])
        store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
        insert_session(store, session)
        store.memories.save(session.id, text)
        store.close()
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    found = store.memories.get(session.id)
    store.close()
    if text != OLD:
        assert found == text
        return
    state = codec.loads(LifecycleState, found or "")
    assert (state.desired, state.phase, state.launches) == (Desired.WATCH, Phase.LAUNCHED, 2)


def test_what_was_seen_is_read_by_its_old_names(tmp_path: Path, session: Session) -> None:
    seen = '{"sighting":"gone","source":"tmux","detail":"it said \\"sighting\\": gone"}'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:17])
        store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
        insert_session(store, session)
        store.close()
    with closing(sqlite3.connect(tmp_path / "ennio.db")) as database, database:
        row = (session.id, "process", seen, "tmux", "2026-01-01T00:00:00Z")
        database.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", row)
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    process = store.facts.get(session.id).process
    store.close()
    assert process is not None
    assert (process.presence, process.detail) == (Presence.GONE, 'it said "sighting": gone')
