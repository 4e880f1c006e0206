"""Where Ennio lies, and how it is called and added to."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from ennio.machine.installation import adding, checkout, command, program


def test_a_shell_calls_the_program_of_this_very_checkout() -> None:
    assert shlex.split(program()) == [str(Path(__file__).resolve().parents[2] / "bin" / "ennio")]


def test_an_installation_calls_what_lies_beside_its_interpreter_and_else_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.machine.installation.checkout", lambda: None)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert command() == [str(tmp_path / "python"), "-m", "ennio.cli"]
    assert command("ennio-supervisor") == [str(tmp_path / "python"), "-m", "ennio.supervise"]
    script = tmp_path / "ennio"
    script.touch(0o755)
    assert command() == [str(script)]


def test_an_extra_is_added_to_the_very_interpreter_that_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/a b/python")
    assert adding("qr") == "'/a b/python' -m pip install 'ennio[qr]'"
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert adding("qr") == "uv pip install --python '/a b/python' 'ennio[qr]'"
    assert checkout() == Path(__file__).resolve().parents[2]
