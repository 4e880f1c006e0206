"""A program of one's own: what it is given, and what is left of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from ennio.model.errors import ConfigError, Refused, TimedOut, Unreachable
from tests.conftest import eventually
from tests.contract.notifier_bench import SECRET, made
from tests.contract.test_notifier import NOTICE


def _shell(folder: Path, script: str, **more: Any) -> Any:
    return made("command", {"argv": ["sh", "-c", script], **more}, folder)


def test_it_is_given_the_documented_body_in_the_folder_of_the_file(tmp_path: Path) -> None:
    _shell(tmp_path, "cat >told; pwd >where").notify(NOTICE)
    told = json.loads((tmp_path / "told").read_text())
    assert (told["id"], told["message"], told["actions"][0]["label"]) == (
        "n-1",
        NOTICE.message,
        "Open",
    )
    assert (tmp_path / "where").read_text().strip() == os.path.realpath(tmp_path)


def test_it_gets_none_of_the_supervisors_secrets_and_what_it_is_configured_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "the supervisors own")
    _shell(tmp_path, "env >env", env={"HOOK_KEY": SECRET}).notify(NOTICE)
    env = (tmp_path / "env").read_text()
    assert f"HOOK_KEY={SECRET}" in env
    assert "the supervisors own" not in env


def test_one_that_does_not_read_what_it_is_given_is_fine(tmp_path: Path) -> None:
    _shell(tmp_path, "exit 0").notify(NOTICE)


def test_what_it_says_is_repeated_without_the_secrets_it_was_given(tmp_path: Path) -> None:
    failing = _shell(tmp_path, "echo curl failed for $KEY >&2; exit 22", env={"KEY": SECRET})
    with pytest.raises(Unreachable) as raised:
        failing.notify(NOTICE)
    assert str(raised.value) == "sh ended with 22: curl failed for ***"


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    slow = _shell(tmp_path, "sleep 600 & echo $! >pid; sleep 600", timeout="500ms")
    with pytest.raises(TimedOut, match="took longer than its 500ms"):
        slow.notify(NOTICE)
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not _runs(pid))


def test_what_it_leaves_running_ends_with_it(tmp_path: Path) -> None:
    _shell(tmp_path, "sleep 600 & echo $! >pid").notify(NOTICE)
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not _runs(pid))


def test_one_that_is_not_there_is_refused_and_found_by_a_probe(tmp_path: Path) -> None:
    missing = made("command", {"argv": ["no-such-program-here"]}, tmp_path)
    with pytest.raises(Refused, match="cannot be started"):
        missing.notify(NOTICE)
    with pytest.raises(Refused, match="no program that is found"):
        missing.probe()
    (tmp_path / "tell").write_text("#!/bin/sh\n")
    (tmp_path / "tell").chmod(0o755)
    assert "is there" in made("command", {"argv": ["./tell"]}, tmp_path).probe()


def test_a_folder_that_is_gone_is_said_to_be_it_and_not_the_program(tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    there = made("command", {"argv": ["sh", "-c", "true"]}, folder)
    with pytest.raises(Refused, match=f"sh cannot be started: the folder .* {folder}, is not the"):
        there.notify(NOTICE)


def test_a_cause_that_is_gone_is_told_only_to_one_that_wants_to_know(tmp_path: Path) -> None:
    _shell(tmp_path, "cat >told").withdraw(NOTICE, None)
    assert not (tmp_path / "told").exists()
    _shell(tmp_path, "cat >told", resolved=True).withdraw(NOTICE, None)
    assert json.loads((tmp_path / "told").read_text())["event_type"] == "notification_resolved"


@pytest.mark.parametrize("argv", [[], "", [""], None])
def test_no_program_at_all_is_said(tmp_path: Path, argv: object) -> None:
    with pytest.raises(ConfigError, match=r"config\.argv"):
        made("command", {"argv": argv}, tmp_path)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
