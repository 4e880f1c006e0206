"""Which port a supervisor has where nobody chose one, and where somebody did."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from ennio.cli.doctor.configuration import own_port
from ennio.config.model import Config
from ennio.http.port import expected, listener_of
from ennio.model.errors import Refused


@pytest.fixture
def usual() -> int:
    """A port that is free, as is most likely the next."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def config(run_dir: Path, port: int, *, chosen: bool = False) -> Config:
    return Config(run_dir / "ennio.yaml", run_dir, port=port, port_chosen=chosen)


def folders(tmp_path: Path) -> tuple[Path, Path]:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    return here, there


def listening(run_dir: Path, port: int) -> tuple[socket.socket, int]:
    found = listener_of(config(run_dir, port), run_dir, 0.0)
    return found, int(found.getsockname()[1])


def test_the_second_repository_of_a_person_has_a_port_of_its_own_and_both_keep_theirs(
    tmp_path: Path, usual: int
) -> None:
    here, there = folders(tmp_path)
    assert expected(config(here, usual), here) == usual
    first, one = listening(here, usual)
    with closing(first):
        foreseen = expected(config(there, usual), there)
        second, other = listening(there, usual)
        second.close()
        assert (one, other) == (usual, foreseen)
        assert other > usual
    # whoever is first now, each has what it had
    again, kept = listening(there, usual)
    with closing(again), closing(listening(here, usual)[0]) as before:
        assert (kept, before.getsockname()[1]) == (other, usual)


def test_a_kept_port_that_somebody_else_has_is_given_up_for_another(
    tmp_path: Path, usual: int
) -> None:
    here, _ = folders(tmp_path)
    with closing(listening(here, 0)[0]) as first:
        kept = first.getsockname()[1]
    with closing(socket.create_server(("127.0.0.1", kept))):
        found, port = listening(here, usual)
        with closing(found):
            assert port != kept
    again, now = listening(here, usual)
    with closing(again):
        assert now == port


def test_doctor_says_why_it_is_another_port_than_the_usual(tmp_path: Path, usual: int) -> None:
    here, there = folders(tmp_path)
    first, _ = listening(here, usual)
    with closing(first):
        second, other = listening(there, usual)
        second.close()
        taken = own_port(config(tmp_path, usual), None, tmp_path).what
        assert f"{usual} is taken" in taken
    kept = own_port(config(there, usual), None, there).what
    assert kept == f"port {other} is free (no `port` is set, and it had that before)"
    assert own_port(config(here, usual), None, here).what == f"port {usual} is free"


def test_a_kept_port_that_cannot_be_read_is_none(tmp_path: Path, usual: int) -> None:
    for said in ("", "no number", "0", "-1", "70000"):
        (tmp_path / "port").write_text(said)
        found, port = listening(tmp_path, usual)
        with closing(found):
            assert port >= usual, said


def test_a_port_that_somebody_chose_is_that_or_none(tmp_path: Path, usual: int) -> None:
    chosen = config(tmp_path, usual, chosen=True)
    with (
        closing(socket.create_server(("127.0.0.1", usual))),
        pytest.raises(Refused, match=f"port {usual} on 127.0.0.1 is taken by .*another `port`"),
    ):
        listener_of(chosen, tmp_path, 0.0)
    with closing(listener_of(chosen, tmp_path, 0.0)) as found:
        assert found.getsockname()[1] == usual == expected(chosen, tmp_path)


def test_an_address_that_is_not_of_this_machine_is_refused_whatever_port_is_free(
    tmp_path: Path,
) -> None:
    elsewhere = Config(tmp_path / "ennio.yaml", tmp_path, host="192.0.2.1", port_chosen=False)
    with pytest.raises(Refused, match=r"cannot listen on 192\.0\.2\.1:3000.*`host`"):
        listener_of(elsewhere, tmp_path, 0.0)
    assert expected(elsewhere, tmp_path) is None
