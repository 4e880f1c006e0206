"""The bell of a session: whose it is, and what it opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ennio.actors import bell
from ennio.actors.exchange import Exchange
from ennio.actors.parts import Parts
from ennio.clock import SystemClock
from ennio.config.model import Config
from ennio.home import Home
from ennio.plugins.registry import Registry
from ennio.store import open_store


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    clock, home = SystemClock(), Home(tmp_path / "home")
    config = Config(source=tmp_path / "ennio.yaml", directory=tmp_path, projects=(), host="0.0.0.0", port=4321)  # noqa: S104 - nothing is bound
    return Parts(config, home, clock, open_store("sqlite::memory:", tmp_path, clock), Registry(home, clock), Exchange())


def hung(parts: Parts, session_id: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((parts.home.session(session_id) / bell.FILE).read_text())
    return found


def test_a_bell_is_private_and_says_where_to_ring(parts: Parts) -> None:
    bell.hang(parts, "a-1")
    told = hung(parts, "a-1")
    assert (told["host"], told["port"], told["path"]) == ("127.0.0.1", 4321, "/api/v1/sessions/a-1/look")
    assert (parts.home.session("a-1") / bell.FILE).stat().st_mode & 0o777 == 0o600


def test_a_token_rings_for_its_own_session_only(parts: Parts) -> None:
    bell.hang(parts, "a-1")
    bell.hang(parts, "a-2")
    token = hung(parts, "a-1")["token"]
    assert bell.known(parts.store, "a-1", token)
    assert not bell.known(parts.store, "a-2", token)
    assert not bell.known(parts.store, "a-3", "")


def test_a_new_launch_silences_the_bell_before_it(parts: Parts) -> None:
    bell.hang(parts, "a-1")
    before = hung(parts, "a-1")["token"]
    bell.hang(parts, "a-1")
    assert not bell.known(parts.store, "a-1", before)
    assert bell.known(parts.store, "a-1", hung(parts, "a-1")["token"])


def test_the_token_itself_is_not_in_the_store(parts: Parts) -> None:
    bell.hang(parts, "a-1")
    kept = parts.store.meta.get("bell:a-1") or ""
    assert hung(parts, "a-1")["token"] not in kept
    assert len(kept) == 64
