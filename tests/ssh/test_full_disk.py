"""The other machine's disk is full: what cannot be done is said in words, nothing is half made, and
all goes on once there is room again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.hosts.delivery import Arrival
from ennio.model.errors import Exhausted, run_out
from ennio.model.facts import Presence
from tests.conftest import eventually, lacking
from tests.contract.host_stage import Stage, Stand, stage_at


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    if os.geteuid() != 0:
        lacking("only root has a small disk: a full one over there was NOT tested")
    with stage_at("over ssh", "tmux and worktree") as made, small(made, made.home):
        try:
            yield made
        finally:
            made.clear()


@contextmanager
def small(stage: Stage, place: Path) -> Iterator[None]:
    """A small disk at this place."""
    owner = f"size=8m,mode=700,uid={stage.user.uid}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", owner, "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted: a full disk was NOT tested: {done.stderr!r}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


@contextmanager
def full(place: Path) -> Iterator[None]:
    """While the block lasts there is no room for a byte."""
    filler = place / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    try:
        yield
    finally:
        filler.unlink()


def _fill_page(path: Path) -> None:
    """A file grows within its last page also where there is no other."""
    with path.open("ab") as file:
        file.write(b"\n" * (-path.stat().st_size % 4096))


def _refused(ask: Callable[[], object]) -> str:
    """The words in which an actor hears that there is no room: it tries again until there is."""
    with pytest.raises((OSError, Exhausted)) as raised:
        ask()
    told = raised.value if isinstance(raised.value, Exhausted) else run_out(raised.value)
    assert told is not None
    return str(told)


def _worktrees(stage: Stage) -> str:
    return stage.run("git", "worktree", "list", cwd=stage.root / "score")


def test_a_session_is_not_half_made_and_is_made_once_there_is_room(stage: Stage) -> None:
    stand = Stand(stage)
    before = _worktrees(stage)
    with full(stage.home):
        assert "o space left" in _refused(stand.made)
        assert _worktrees(stage) == before
        assert not Path(stand.brief.path or "/nowhere").exists()
    try:
        stand.launched()
    finally:
        stand.clear()


def test_who_works_there_is_seen_and_told_nothing_until_there_is_room(stage: Stage) -> None:
    stand = Stand(stage)
    try:
        stand.launched()
        words = stand.words("are you there")
        _fill_page(stage.home / "sessions" / stand.id / "typed.jsonl")
        with full(stage.home):
            assert stand.process().presence is Presence.ALIVE
            assert stand.look().turns == 1
            told = _refused(lambda: stand.host.deliver(stand.brief, words))
            assert "typed.jsonl" in told, "where there is no room"
            assert stand.look().prompts == 1
        assert stand.host.deliver(stand.brief, words).arrival is Arrival.DELIVERED
        eventually(lambda: stand.look().turns == 2, 60, "it took them")
        assert stand.look().prompts == 2, "once"
    finally:
        stand.clear()


def test_work_that_is_only_there_is_kept_until_there_is_room_to_save_it(stage: Stage) -> None:
    """The project's repository lies on the full disk, and the working copy does not."""
    place, stand = stage.root / "small", Stand(stage)
    stage.run("mkdir", str(place))
    with small(stage, place):
        source = place / "score"
        stage.run("git", "clone", "-q", str(stage.root / "hub.git"), str(source))
        stage.run("touch", str(source / "shared.txt"))
        stand.brief = replace(stand.brief, source=str(source))
        stand.made()
        stage.run("sh", "-c", "echo cadence > work.txt; git add work.txt", cwd=stand.folder)
        stage.run("git", "commit", "-q", "-m", "A cadence", cwd=stand.folder)
        stage.run("sh", "-c", "seq 200000 > unsaved.txt", cwd=stand.folder)
        ended = replace(stand.brief, ended=True)
        with full(place):
            assert "o space left" in _refused(lambda: stand.host.remove(ended))
            assert (stand.folder / "unsaved.txt").exists()
            assert (stand.folder / "work.txt").read_text() == "cadence\n"
        removed = stand.host.remove(ended)
        assert not stand.folder.exists()
        assert removed.preserved is not None
        saved = stage.run("git", "ls-tree", "--name-only", removed.preserved, cwd=source)
        assert {"work.txt", "unsaved.txt"} <= set(saved.splitlines())
        assert stage.run("git", "show", f"{removed.preserved}:unsaved.txt", cwd=source).endswith(
            "\n200000"
        )
