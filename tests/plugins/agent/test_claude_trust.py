"""The one entry made in the user's file."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.local import LocalMachine
from ennio.model.errors import Refused, Unreachable
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.claude_trust import forget, trust
from ennio.plugins.agent.interface import AgentContext

THEIRS = {
    "oauthAccount": {"name": "Zoë"},
    "projects": {"/home/x": {"history": [1, 2], "hasTrustDialogAccepted": False}},
    "n": 1.5,
}


@pytest.fixture
def note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is noted what was done, in a folder of its own."""
    return tmp_path_factory.mktemp("session") / "trust.json"


def test_only_the_one_entry_is_added(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(json.dumps(THEIRS))
    file.chmod(0o600)
    assert trust(LocalMachine(), file, Path("/w/one"), note)
    after = json.loads(file.read_text())
    assert after["projects"].pop("/w/one") == {"hasTrustDialogAccepted": True}
    assert after == THEIRS
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [".claude.json"]


def test_what_is_known_of_the_folder_stays(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(json.dumps(THEIRS))
    trust(LocalMachine(), file, Path("/home/x"), note)
    assert json.loads(file.read_text())["projects"]["/home/x"] == {
        "history": [1, 2],
        "hasTrustDialogAccepted": True,
    }


def test_a_trusted_folder_leaves_the_file_alone(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    trust(LocalMachine(), file, Path("/w"), note)
    before = (file.stat().st_ino, file.stat().st_mtime_ns)
    assert not trust(LocalMachine(), file, Path("/w"), note)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_a_link_into_the_dotfiles_stays_a_link(tmp_path: Path, note: Path) -> None:
    (tmp_path / "dotfiles.json").write_text("{}")
    file = tmp_path / ".claude.json"
    file.symlink_to(tmp_path / "dotfiles.json")
    trust(LocalMachine(), file, Path("/w"), note)
    assert file.is_symlink()
    assert "/w" in (tmp_path / "dotfiles.json").read_text()


def test_twenty_sessions_at_once_lose_no_entry(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(json.dumps(THEIRS))
    threads = [
        threading.Thread(
            target=trust,
            args=(LocalMachine(), file, Path(f"/w/{number}"), note.with_name(str(number)), 20.0),
        )
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f"/w/{number}" for number in range(20)} <= json.loads(file.read_text())[
        "projects"
    ].keys()


@pytest.mark.parametrize("content", ["{half", "[]", '{"projects": []}', '{"projects": {"/w": 1}}'])
def test_a_file_that_is_not_theirs_is_refused_and_not_overwritten(
    tmp_path: Path, note: Path, content: str
) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(content)
    with pytest.raises(Refused, match=r"\.claude\.json"):
        trust(LocalMachine(), file, Path("/w"), note)
    assert file.read_text() == content


def test_a_lock_that_is_held_is_respected(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    (tmp_path / ".claude.json.lock").mkdir()
    with pytest.raises(Unreachable, match="held by another program"):
        trust(LocalMachine(), file, Path("/w"), note, patience=0.1)
    assert not file.exists()


def test_a_lock_left_behind_is_taken_over(tmp_path: Path, note: Path) -> None:
    lock = tmp_path / ".claude.json.lock"
    lock.mkdir()
    os.utime(lock, (time.time() - 60,) * 2)
    assert trust(LocalMachine(), tmp_path / ".claude.json", Path("/w"), note, patience=2)
    assert not lock.exists()


def test_the_agent_settles_trust_where_its_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = AgentContext(
        "s", "p", Path("/w/s"), tmp_path, "c", AgentConfig(), home=tmp_path, machine=LocalMachine()
    )
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    ClaudeCode().prepare(desk)
    ClaudeCode().prepare(desk)
    assert json.loads((tmp_path / ".claude.json").read_text()) == {
        "projects": {"/w/s": {"hasTrustDialogAccepted": True}}
    }
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "elsewhere"))
    ClaudeCode().prepare(desk)
    assert "/w/s" in (tmp_path / "elsewhere" / ".claude.json").read_text()


def test_what_was_made_is_taken_back_with_all_that_the_agent_added_to_it(
    tmp_path: Path, note: Path
) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(json.dumps(THEIRS))
    trust(LocalMachine(), file, Path("/w/one"), note)
    content = json.loads(file.read_text())
    content["projects"]["/w/one"]["lastCost"] = 1
    file.write_text(json.dumps(content))
    forget(LocalMachine(), note)
    assert json.loads(file.read_text()) == THEIRS
    before = file.stat().st_ino
    forget(LocalMachine(), note)
    assert file.stat().st_ino == before


def test_what_stood_there_before_is_put_back(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(json.dumps(THEIRS))
    for _ in range(2):
        trust(LocalMachine(), file, Path("/home/x"), note)
        file.write_text(file.read_text().replace("true", "false"))  # another program takes it back
    trust(LocalMachine(), file, Path("/home/x"), note)
    forget(LocalMachine(), note)
    assert json.loads(file.read_text()) == THEIRS


def test_trust_that_a_person_gave_stays(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    file.write_text(json.dumps({"projects": {"/w": {"hasTrustDialogAccepted": True}}}))
    before = file.read_text()
    trust(LocalMachine(), file, Path("/w"), note)
    forget(LocalMachine(), note)
    assert file.read_text() == before


def test_a_file_that_went_away_needs_nothing_taken_back(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    trust(LocalMachine(), file, Path("/w"), note)
    file.unlink()
    forget(LocalMachine(), note)
    assert not file.exists()
    assert not note.exists()


def test_what_cannot_be_taken_back_now_is_not_forgotten(tmp_path: Path, note: Path) -> None:
    file = tmp_path / ".claude.json"
    trust(LocalMachine(), file, Path("/w"), note)
    (tmp_path / ".claude.json.lock").mkdir()
    with pytest.raises(Unreachable, match="held by another program"):
        forget(LocalMachine(), note, patience=0.1)
    (tmp_path / ".claude.json.lock").rmdir()
    forget(LocalMachine(), note)
    assert json.loads(file.read_text()) == {"projects": {}}
