"""The hook token of a session: whose it is, and what it opens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ennio.actors import hook_token
from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import ActorRegistry
from ennio.config.model import Config
from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.session_files import HOOKS
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.model.session import Session, SessionStatus
from ennio.plugins.registry import Registry
from ennio.store import open_store


@pytest.fixture
def deps(tmp_path: Path) -> Dependencies:
    clock, home = SystemClock(), Home(tmp_path / "home")
    config = Config(
        source=tmp_path / "ennio.yaml",
        directory=tmp_path,
        projects=(),
        host="0.0.0.0",  # noqa: S104
        port=4321,
    )
    plugins = Registry(home, clock)
    store, host = open_store("sqlite::memory:", tmp_path, clock), PluginHost(plugins, home, clock)
    for session_id in ("a-1", "a-2"):
        store.sessions.insert(session(session_id))
    return Dependencies(config, home, clock, store, plugins, ActorRegistry(), host)


def session(session_id: str) -> Session:
    now = SystemClock().now()
    return Session(
        session_id,
        "a",
        SessionStatus.WORKING,
        created_at=now,
        last_activity_at=now,
        config_hash="x",
    )


def issue(deps: Dependencies, session_id: str) -> None:
    """As a launch does it."""
    deps.this_machine.lead_hooks(session_id, hook_token.issue(deps, session_id))


def hung(deps: Dependencies, session_id: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((deps.home.session(session_id) / HOOKS).read_text())
    return found


def test_a_bell_is_private_and_says_where_to_ring(deps: Dependencies) -> None:
    issue(deps, "a-1")
    told = hung(deps, "a-1")
    assert (told["host"], told["port"], told["path"]) == (
        "127.0.0.1",
        4321,
        "/api/v1/sessions/a-1/look",
    )
    assert (deps.home.session("a-1") / HOOKS).stat().st_mode & 0o777 == 0o600


def test_a_token_rings_for_its_own_session_only(deps: Dependencies) -> None:
    issue(deps, "a-1")
    issue(deps, "a-2")
    token = hung(deps, "a-1")["token"]
    assert hook_token.verify(deps.store, "a-1", token)
    assert not hook_token.verify(deps.store, "a-2", token)
    assert not hook_token.verify(deps.store, "a-3", "")


def test_a_new_launch_silences_the_bell_before_it(deps: Dependencies) -> None:
    issue(deps, "a-1")
    before = hung(deps, "a-1")["token"]
    issue(deps, "a-1")
    assert not hook_token.verify(deps.store, "a-1", before)
    assert hook_token.verify(deps.store, "a-1", hung(deps, "a-1")["token"])


def test_the_token_itself_is_not_in_the_store(deps: Dependencies) -> None:
    issue(deps, "a-1")
    kept = deps.store.agents.get("a-1").hook_digest or ""
    assert hung(deps, "a-1")["token"] not in kept
    assert len(kept) == 64


def test_a_bell_that_hangs_well_is_left_as_it_is(deps: Dependencies) -> None:
    issue(deps, "a-1")
    path = deps.home.session("a-1") / HOOKS
    before = path.stat()
    hook_token.renew(deps, session("a-1"))
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )  # it is read, and that moves its atime
    assert hook_token.verify(deps.store, "a-1", hung(deps, "a-1")["token"])


def _of_another_door(path: Path) -> None:
    path.write_text(path.read_text().replace("4321", "1234"))


def _open_to_all(path: Path) -> None:
    path.chmod(0o644)


def _half_written(path: Path) -> None:
    path.write_text(path.read_text()[:-5])


def _none_at_all(path: Path) -> None:
    path.unlink()


def _of_a_token_that_is_not_known(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "token": "made up"}))


def _without_sense(path: Path) -> None:
    path.write_text('["host"]')


def _somebody_elses(path: Path) -> None:
    path.rename(path.with_name("elsewhere.json"))
    path.symlink_to("elsewhere.json")


@pytest.mark.parametrize(
    "wrong",
    [
        _of_another_door,
        _open_to_all,
        _half_written,
        _none_at_all,
        _of_a_token_that_is_not_known,
        _without_sense,
        _somebody_elses,
    ],
    ids=lambda wrong: wrong.__name__.strip("_"),
)
def test_a_bell_that_hangs_badly_is_hung_anew(
    deps: Dependencies, wrong: Callable[[Path], None]
) -> None:
    issue(deps, "a-1")
    path = deps.home.session("a-1") / HOOKS
    before = hung(deps, "a-1")["token"]
    wrong(path)
    hook_token.renew(deps, session("a-1"))
    told = hung(deps, "a-1")
    assert (told["port"], told["token"] == before) == (4321, False)
    assert hook_token.verify(deps.store, "a-1", told["token"])
    assert not hook_token.verify(deps.store, "a-1", before)
    assert path.lstat().st_mode & 0o170777 == 0o100600
