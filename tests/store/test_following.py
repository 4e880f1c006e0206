"""Cursors of followers: moved, kept, and taken over from older databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.model.clock import ManualClock
from ennio.store import Store, migrations, open_store


def test_a_cursor_stands_where_it_was_moved_to(store: Store) -> None:
    assert store.cursors.get("tracker:shop") is None
    store.cursors.move("tracker:shop", 0)
    store.cursors.move("tracker:blog", 3)
    store.cursors.move("tracker:shop", 7)
    assert store.cursors.get("tracker:shop") == 7
    assert store.cursors.get("tracker:blog") == 3


def test_a_follower_of_an_older_version_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:16])
        old = open_store("sqlite:ennio.db", tmp_path, ManualClock())
        old.meta.set("tracker:shop", "412")
        old.meta.set("trackers", "no cursor")
        old.close()
    store = open_store("sqlite:ennio.db", tmp_path, ManualClock())
    found = (
        store.cursors.get("tracker:shop"),
        store.meta.get("tracker:shop"),
        store.meta.get("trackers"),
    )
    store.close()
    assert found == (412, None, "no cursor")
