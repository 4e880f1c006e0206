"""What an earlier or later Ennio left is met with words, and agents outlive the change."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ennio import __version__
from ennio.cli.doctor import versions
from ennio.cli.doctor.finding import Level
from ennio.model.clock import ManualClock
from ennio.plugins.runtime.process import ProcessRuntime
from ennio.plugins.runtime.ptyd import protocol
from ennio.store import open_store
from ennio.store.migrations import MIGRATIONS, NEWEST
from tests.conftest import eventually
from tests.contract.runtime_bench import Bench, process_bench
from tests.e2e.house import Ground, Supervised, configure, ground_at, project, repository
from tests.store.older import WITHOUT_CONFLICTS, go_back


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with ground_at(tmp_path) as made:
        repository(made)
        configure(made, project(made))
        yield made


def _database(ground: Ground, version: int, *statements: str) -> Path:
    """A database as a version that was at this step leaves it."""
    store = open_store("sqlite:ennio.db", ground.clone, ManualClock())
    for statement in statements:
        store._connection.sql(statement)
    go_back(store, version)
    return ground.clone / "ennio.db"


def test_an_earlier_database_is_told_of_left_alone_and_opened_by_the_next_start(
    ground: Ground,
) -> None:
    new = ground.ennio("upgrade-check")
    assert (new.code, "no database" in new.out) == (0, True), new.err
    before = next(step.number for step in MIGRATIONS if "conflict" in step.name) - 1
    file = _database(ground, before, *WITHOUT_CONFLICTS)
    kept = file.read_bytes()
    checked = ground.ennio("upgrade-check")
    assert checked.code == 0, checked.err
    assert f"schema {before}); the next start brings it to {NEWEST}" in checked.out
    assert file.read_bytes() == kept
    saves = checked.out.partition("save it first: ")[2].partition("\n")[0]
    subprocess.run(["sh", "-c", saves], cwd=ground.clone, env=ground.env, check=True)
    assert Path(f"{file}.before").read_bytes() == kept
    house = Supervised(ground)
    house.start()
    running = ground.ennio("upgrade-check", "--json").document
    house.stop()
    assert running["ok"] is True
    assert {one["level"] for one in running["findings"]} == {"fine"}
    assert f"is of this version (schema {NEWEST})" in str(running["findings"])


def test_a_later_database_is_refused_before_and_by_the_start_in_the_same_words(
    ground: Ground,
) -> None:
    file = _database(ground, NEWEST + 1)
    kept = file.read_bytes()
    checked = ground.ennio("upgrade-check", "--json")
    assert (checked.code, checked.document["ok"]) == (1, False)
    words = f"is of a newer Ennio (schema {NEWEST + 1}, this one knows {NEWEST})"
    assert words in str(checked.document["findings"])
    started = ground.ennio("start", "--detach")
    assert started.code == 1
    assert words in started.err
    assert file.read_bytes() == kept


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from process_bench(tmp_path)


@pytest.mark.parametrize("known", [1, 2])
def test_agents_of_an_earlier_terminal_daemon_are_looked_after_and_shown(
    bench: Bench, known: int
) -> None:
    directory = bench.root / "ptyd"
    older = Path(__file__).with_name("older_ptyd.py")
    words = (sys.executable, str(older), str(known), "keep", str(directory), "2")
    env = {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": "/usr/bin:/bin"}
    directory.mkdir(mode=0o700)
    subprocess.run(words, check=True, timeout=30, env=env)

    handle = bench.start()
    told = versions.terminals(directory)
    assert told is not None
    assert (told.level, "of an earlier Ennio" in told.what) == (Level.WARNING, True)
    runtime = bench.again()
    assert isinstance(runtime, ProcessRuntime)
    assert not runtime.survey()[bench.name].dead
    runtime.paste(handle, "words for it")
    assert b"words for it" in bench.received(b"words for it\x1b[201~")
    stream, seen = runtime.open_stream(handle), bytearray()

    def shown() -> bool:
        seen.extend(stream.read(0.5) or b"")
        return b"READY" in seen

    eventually(shown)
    runtime.stop(handle)
    assert runtime.survey() == {}
    eventually(lambda: not protocol.is_running(directory))
    assert versions.terminals(directory) is None


def test_a_daemon_of_this_version_and_of_a_later_one_are_told_apart(bench: Bench) -> None:
    handle = bench.start()
    told = versions.terminals(bench.root / "ptyd")
    assert told == versions.of_daemon({"protocol": protocol.PROTOCOL, "panes": [{"dead": False}]})
    assert told.level is Level.FINE
    bench.runtime.stop(handle)
    later = versions.of_daemon({"protocol": protocol.PROTOCOL + 1, "version": "9.9"})
    assert (later.level, "newer Ennio (9.9)" in later.what) == (Level.WARNING, True)


def test_a_database_that_is_gone_under_a_supervisor_is_not_one_that_is_still_to_be_made() -> None:
    told = {"database": "sqlite:/a/b.db", "schema": None, "newest": NEWEST, "steps": []}
    assert versions.of_schema(told).level is Level.FINE
    gone = versions.of_schema(told, running=True)
    assert (gone.level, gone.fix.split("  ")[0]) == (Level.BROKEN, "ennio doctor")


def test_a_supervisor_or_node_of_another_version_is_told_of_with_what_becomes_of_its_agents() -> (
    None
):
    assert versions.supervisor(None).level is Level.FINE
    assert versions.supervisor(__version__).level is Level.FINE
    assert "agents go on" in versions.supervisor("0.1.9").fix
    here = {"name": "here", "host": "", "version": "0.1.9"}
    same = {"name": "far", "host": "far", "version": __version__}
    unknown = {"name": "far", "host": "far", "version": None}
    other = {"name": "far", "host": "far", "version": "0.1.9", "of_projects": {"score": 2}}
    assert list(versions.nodes([here, same, unknown])) == []
    (found,) = versions.nodes([other])
    assert "the node on far is Ennio 0.1.9" in found.what
    assert found.fix.startswith("ennio node disconnect score && ennio node connect score")
    (found,) = versions.nodes([other | {"name": "me@far", "of_projects": {}}])
    assert found.fix.startswith("ennio node disconnect me@far && ennio node connect me@far")
