"""What installed distributions bring is read once, and anew when one comes or goes."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from ennio.plugins.entry_points import entry_points

_TIMES = count(1_000_000_000)


def install(folder: Path, name: str, *brought: str) -> Path:
    """A distribution with entry points, as an installer leaves it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(("[ennio.notifier]", *brought)))
    os.utime(folder, (at := next(_TIMES), at))  # a file system's clock has ticks of milliseconds
    return info


def notifiers() -> set[str]:
    return {point.name for point in entry_points("notifier")}


def test_a_distribution_that_is_installed_or_removed_while_we_run_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = notifiers()
    monkeypatch.syspath_prepend(tmp_path)
    assert notifiers() == before
    first = install(tmp_path, "first", "horn = first:build")
    assert notifiers() == before | {"horn"}
    install(tmp_path, "second", "drum = second:build")
    assert notifiers() == before | {"horn", "drum"}
    shutil.rmtree(first)
    assert notifiers() == before | {"drum"}


def test_as_long_as_none_comes_or_goes_no_file_is_read_again() -> None:
    assert all(
        first is second
        for first, second in zip(entry_points("agent"), entry_points("agent"), strict=True)
    )


def test_those_of_a_name_are_those_of_the_slot_with_this_name() -> None:
    assert [point.name for point in entry_points("runtime", "tmux")] == ["tmux"]
    assert entry_points("runtime", "slack") == ()
    assert entry_points("nothing of ours") == ()


def test_a_folder_that_is_not_there_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = notifiers()
    monkeypatch.syspath_prepend(tmp_path / "absent")
    assert notifiers() == before
