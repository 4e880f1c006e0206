"""What ``find`` lists is judged as what our own walk sees."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from ennio.machine.local import LocalMachine
from ennio.plugins.workspace import inventory
from ennio.plugins.workspace.far_walk import FarWalk

NAMES = ["plain", "with space", "new\nline", "*?[a]\\", "-rf", "'quoted'\"", os.fsdecode(b"\xff")]


def _tree(root: Path) -> None:
    for folder in (
        "src/deep",
        "node_modules/a",
        "odd [x]*",
        "inner/.git",
        "sub/.git",
        ".git/objects",
    ):
        (root / folder).mkdir(parents=True)
    for place in (root, root / "src/deep", root / "node_modules/a", root / "odd [x]*"):
        for name in NAMES:
            (place / name).write_text("1234")
    (root / "ignored.log").write_text("12345")
    (root / "ignored.link").symlink_to("ignored.log")
    (root / "tracked.link").symlink_to("nowhere")
    (root / "strange.link").symlink_to("/")
    os.mkfifo(root / "src" / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(root)
        try:
            made.bind("socket")
        finally:
            os.chdir(here)


def test_find_tells_of_a_working_copy_what_our_own_walk_tells(tmp_path: Path) -> None:
    _tree(tmp_path)
    tracked = frozenset([*NAMES[:4], "tracked.link", *(f"src/deep/{name}" for name in NAMES[2:])])
    dirty = frozenset([*NAMES[4:], "src/deep/plain"])
    ignored = frozenset(["node_modules/", "odd [x]*/", "ignored.log", "ignored.link", "gone/"])
    elsewhere = frozenset(["sub"])
    told = (tracked, dirty, ignored, elsewhere)
    near = inventory.take(LocalMachine(), tmp_path, *told)
    done, records = FarWalk(LocalMachine(), tmp_path, *told, 60.0).run()
    assert done.code == 0
    far = inventory._read(records)
    assert (far.special, far.repositories, far.lost) == (near.special, near.repositories, near.lost)
    assert [path for path, _ in far.ignored] == [path for path, _ in near.ignored]
    sizes = dict(far.ignored)
    assert (sizes["ignored.log"], sizes["node_modules/"] > 0) == (5, True)
    assert ("strange.link", "git does not tell of it") in far.lost
    assert near.repositories == ("inner",)


def test_what_cannot_be_entered_is_lost_and_what_is_not_there_fails(tmp_path: Path) -> None:
    none = frozenset[str]()
    if os.geteuid() != 0:  # nothing is closed to root
        (tmp_path / "closed").mkdir(mode=0)
        _, records = FarWalk(LocalMachine(), tmp_path, none, none, none, none, 9.0).run()
        assert records == ["lPermission denied\tclosed/"]
    gone = FarWalk(LocalMachine(), tmp_path / "gone", none, none, none, none, 9.0)
    assert gone.run()[0].code != 0
