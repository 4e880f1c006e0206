"""Places where nothing can be written: why, and what opens them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ennio.machine import closed_place
from ennio.machine.closed_place import another_home, closed, closed_home, opening, refusing
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused


class _Elsewhere(LocalMachine):
    @property
    def name(self) -> str:
        return "me@there"


def test_a_folder_of_ones_own_is_opened_by_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "file").write_text("")
    assert opening(tmp_path / "a b") == f"chmod u+rwx '{tmp_path}/a b'"
    assert opening(tmp_path / "a b" / "not" / "there") == f"chmod u+rwx '{tmp_path}/a b'"
    assert opening(tmp_path / "file") == f"chmod u+rw {tmp_path}/file"


def test_what_no_command_should_open_unseen_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    assert opening(tmp_path / "file" / "below") == ""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert opening(Path("/usr")) == "", "it is the machine's"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert opening(tmp_path / "mine") == "", "a home that is somebody else's"


def test_a_file_in_place_of_a_folder_of_a_home_is_found(tmp_path: Path) -> None:
    root = tmp_path / "home"
    assert closed_home(root) is None, "it is made when it is needed"
    root.mkdir()
    (root / "run").write_text("")
    place = closed_home(root)
    assert place is not None
    assert closed(place) == f"{root}/run is no folder"


def test_another_home_is_one_that_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "me").mkdir()
    first, second = tmp_path / "me" / ".ennio", tmp_path / "state" / "ennio"
    assert another_home(tmp_path / "closed") == f"export ENNIO_HOME={first}"
    assert another_home(first) == f"export ENNIO_HOME={second}"
    first.write_text("")
    (tmp_path / "state").write_text("")
    assert another_home(tmp_path / "closed") == ""


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_what_is_denied_at_a_place_is_a_persons_to_mend(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_place, "closed", lambda _path: "it is")
    denied = OSError(number, os.strerror(number), str(tmp_path / "new"))
    with pytest.raises(Refused) as refused, refusing(LocalMachine()):
        raise denied
    assert str(refused.value) == (
        f"nothing can be written at {tmp_path}/new: {os.strerror(number).lower()}; it is opened "
        f"by: chmod u+rwx {tmp_path}"
    )
    with pytest.raises(Refused) as refused, refusing(_Elsewhere()):
        raise denied
    assert str(refused.value) == (
        f"nothing can be written at {tmp_path}/new: {os.strerror(number).lower()}"
    ), "another machine's folder of that name is another one"


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "it broke", "/x"), PermissionError(errno.EPERM, "kill")]
)
def test_any_other_error_stays_as_it_is(error: OSError) -> None:
    with pytest.raises(OSError) as met, refusing(LocalMachine()):
        raise error
    assert met.value is error
