"""The desktop: a real notification daemon on a real bus, and macOS as far as its arguments go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Priority
from ennio.plugins.notifier.desktop import NotifySend, Osascript, number_of
from tests.conftest import need
from tests.contract.test_notifier import NOTICE
from tests.notices.desktop import Desktop, desktop


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desktop() as desk:
        yield desk


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> None:
    if "desk" in request.fixturenames:
        desk: Desktop = request.getfixturevalue("desk")
        desk.seen()


def test_the_number_of_a_notice_follows_from_its_id_and_is_no_daemons_own() -> None:
    numbers = {number_of(f"n-{n}") for n in range(200)}
    assert len(numbers) == 200
    assert all(2**30 <= number < 2**31 for number in numbers)


def test_what_is_shown_has_the_number_it_can_be_taken_back_by(desk: Desktop) -> None:
    receipt = NotifySend("local", desk.env).notify(NOTICE)
    (seen,) = desk.seen()
    assert receipt == str(seen["id"]) == str(number_of(NOTICE.id))
    assert seen["appname"] == "Ennio"


def test_words_are_no_markup(desk: Desktop) -> None:
    NotifySend("local", desk.env).notify(replace(NOTICE, message="<b>bold</b> & <img src=x>"))
    (seen,) = desk.seen()
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;img src=x&gt;" in seen["body"]


def test_words_that_begin_with_a_dash_are_words(desk: Desktop) -> None:
    odd = replace(NOTICE, title="--help", message="-u critical")
    NotifySend("local", desk.env).notify(odd)
    assert [one["summary"] for one in desk.seen()] == ["--help"]


def test_a_priority_is_an_urgency(desk: Desktop, tmp_path: Path) -> None:
    kept = tmp_path / "argv"
    _program(tmp_path / "notify-send", f'echo "$2 $3" >>{kept}')
    channel = NotifySend("local", desk.env | {"PATH": f"{tmp_path}:{desk.env['PATH']}"})
    for priority in Priority:
        channel.notify(replace(NOTICE, priority=priority))
    urgencies = [line.split()[0] for line in kept.read_text().splitlines()]
    wanted = ["low", "normal", "critical", "critical"]
    assert urgencies == [f"--urgency={word}" for word in wanted]


def test_a_daemon_that_stopped_is_unreachable_and_is_told_once_it_is_back(desk: Desktop) -> None:
    channel = NotifySend("local", desk.env)
    desk.stop()
    with pytest.raises(Unreachable, match="no notification daemon took it"):
        channel.notify(NOTICE)
    with pytest.raises(Unreachable, match="start Ennio from the desktop's own session"):
        channel.probe()
    desk.start()
    assert channel.probe().startswith("the desktop's daemon is dunst")
    channel.notify(NOTICE)
    assert len(desk.seen()) == 1


def test_without_a_bus_it_is_unreachable_and_without_the_program_refused(tmp_path: Path) -> None:
    need("notify-send")
    nowhere = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/bus"}
    with pytest.raises(Unreachable):
        NotifySend("local", nowhere | bus | {"PATH": "/usr/bin:/bin"}).notify(NOTICE)
    with pytest.raises(Refused, match="apt-get install libnotify-bin"):
        NotifySend("local", nowhere | bus | {"PATH": str(tmp_path)}).notify(NOTICE)


def test_an_older_notify_send_is_asked_without_numbers(tmp_path: Path) -> None:
    kept = tmp_path / "argv"
    old = 'case "$*" in *--replace-id*) echo "Unknown option --replace-id" >&2; exit 1;; esac'
    _program(tmp_path / "notify-send", f'{old}\necho "$@" >>{kept}')
    channel = NotifySend("local", {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert channel.notify(NOTICE) is None
    assert "approved and green" in kept.read_text()


def test_the_secrets_of_the_supervisor_are_not_handed_on(tmp_path: Path) -> None:
    kept = tmp_path / "env"
    _program(tmp_path / "notify-send", f"env >{kept}")
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GITHUB_TOKEN": "s3cr3t", "DISPLAY": ":7"}
    NotifySend("local", environ).notify(NOTICE)
    assert "s3cr3t" not in kept.read_text()
    assert "DISPLAY=:7" in kept.read_text()


def test_on_macos_words_are_arguments_of_the_script_and_no_part_of_it(tmp_path: Path) -> None:
    kept = tmp_path / "argv.json"
    script = "import json,sys; json.dump(sys.argv[1:], open(sys.argv[0] + '.json', 'w'))"
    (tmp_path / "argv").write_text(script)
    _program(tmp_path / "osascript", f'exec {need("python3")} {tmp_path}/argv "$@"')
    evil = replace(NOTICE, message='" & (do shell script "rm -rf /") & "')
    Osascript("local", {"PATH": f"{tmp_path}:/usr/bin:/bin"}).notify(evil)
    argv = json.loads(kept.read_text())
    assert argv[-2:] == [NOTICE.title, evil.message]
    assert not any("rm -rf" in word for word in argv[:-2])


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
