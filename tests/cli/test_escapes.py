"""Words are data in every terminal: an escape planted in every field of every answer reaches
none, whatever the command.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ennio.cli.verbs.completion import words as known_words
from tests.cli.conftest import Api
from tests.cli.planted import PLANTED, STEERS, answer, component

ID = "ma-1a2b3c4d"
COMMANDS: dict[str, list[str]] = {
    "answer": [ID, PLANTED],
    "board": ["--once"],
    "cleanup": ["--dry-run"],
    "completion": ["bash"],
    "config check": [],
    "config schema": [],
    "config show": [],
    "config trust": [],
    "config untrust": [],
    "dashboard": ["--print"],
    "diff": [ID],
    "doctor": [],
    "debug dump": [],
    "events": [],
    "init": [PLANTED.replace("\x00", "")],
    "interrupt": [ID],
    "issue add": ["my-app", PLANTED],
    "issue list": ["my-app"],
    "logs": [],
    "messages": [ID],
    "node connect": [PLANTED],
    "node disconnect": [PLANTED],
    "node list": [],
    "node logs": [PLANTED],
    "node status": [PLANTED],
    "notices": [],
    "notify list": [],
    "notify test": [PLANTED],
    "open": [ID],
    "output": [ID],
    "database copy": ["--to", "postgresql://ennio@/ennio?host=/nowhere"],
    "pr approve": [ID],
    "pr close": [ID],
    "pr comment": [ID, "-m", PLANTED],
    "pr create": ["my-app", "-b", PLANTED, "-t", PLANTED],
    "pr diff": [ID],
    "pr files": [ID],
    "pr list": [],
    "pr merge": [ID],
    "pr leave-queue": [ID],
    "pr nudge": [ID],
    "pr pack": [ID],
    "pr ready": [ID],
    "pr reply": [ID, PLANTED, "-m", PLANTED],
    "pr request-changes": [ID, "-m", PLANTED, "--path", PLANTED],
    "pr rerun": [ID],
    "pr resolve": [ID, PLANTED],
    "pr show": [ID],
    "preserved list": [],
    "preserved restore": [ID],
    "preserved show": [ID],
    "budget go-on": [ID],
    "budget list": [],
    "budget raise": [ID, "--by", "1"],
    "budget remove": [ID],
    "budget set": ["session", ID, "--limit", "1"],
    "conflicts": [],
    "cost": ["--by", "session"],
    "ls": [],
    "queue drop": [ID],
    "queue hold": [ID],
    "queue list": [],
    "queue move": [ID, "1"],
    "queue priority": [ID, "1"],
    "queue release": [ID],
    "reload": ["--timeout", "0"],
    "send": [ID, PLANTED],
    "review": [ID, "--comment", PLANTED.replace("\x00", ""), PLANTED],
    "session info": [ID],
    "session kill": [ID],
    "session list": [],
    "session look": [ID],
    "session seen": [ID],
    "session restore": [ID],
    "session resume": [ID],
    "session why": [ID],
    "service install": [],
    "service remove": [],
    "service status": [],
    "spawn": ["my-app", "-p", PLANTED, "--dry-run"],
    "start": [],
    "status": [],
    "stop": ["--timeout", "0"],
    "upgrade-check": [],
    "version": [],
}
ELSEWHERE = {"demo"}  # plays a story of its own: tests/demo
HOSTILE = """\
port: {port}
host: "{escape}"
ready_threshold: "{escape}"
"{escape}": "{escape}"
projects: [{{name: "{escape}", repo: "{escape}", path: "{escape}", agent: "{escape}", env: {{"{escape}": 1}}}}]
"""


@pytest.fixture
def hostile(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A supervisor that answers everything, with the worst in every text."""

    class Answers(dict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            told = answer(*key)
            if key == ("GET", "/projects"):
                told["data"][0] |= {"id": "my-app"}
            if key == ("POST", "/sessions"):
                told["data"] |= component("Preview")  # the answer to a dry run
            return (200, told, "") if told is not None else default

    monkeypatch.setattr(api, "answers", Answers())
    return api


def leaves() -> set[str]:
    tree = known_words()
    return {
        path for path in tree if path and not any(other.startswith(f"{path} ") for other in tree)
    }


def test_every_command_is_walked() -> None:
    assert leaves() == set(COMMANDS) | ELSEWHERE


def _log(api: Api) -> None:
    from ennio.machine.home import Home

    run_dir = Home(Path(api.place.env["ENNIO_HOME"])).run(api.place.folder / "ennio.yaml")
    (run_dir / "supervisor.log").write_text(f"{PLANTED}\n", newline="")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_command_lets_a_planted_escape_through(hostile: Api, command: str) -> None:
    _log(hostile)
    words = [*command.split(), *COMMANDS[command]]
    plain = hostile.ennio(*words)
    assert not STEERS.findall(plain.out + plain.err), plain
    assert "Traceback" not in plain.err
    told = hostile.ennio(*words, "--json")
    assert not STEERS.findall(told.out + told.err), told
    assert "Traceback" not in told.err
    json.loads(told.out)


@pytest.mark.parametrize(
    "command",
    ["config check", "config show", "config trust", "doctor", "start", "status", "spawn", "logs"],
)
def test_a_hostile_configuration_steers_no_terminal(hostile: Api, command: str) -> None:
    for name in ("ready_threshold", "host"):
        escape = "\\e]52;c;UFdO\\a\\e]0;PWN\\a\\x9b2J\\u202e"
        text = HOSTILE.format(port=1, escape=escape)
        lines = [line for line in text.splitlines() if line.startswith(("port", "projects", name))]
        (hostile.place.folder / "ennio.yaml").write_text("\n".join(lines))
        ended = hostile.ennio(*command.split(), *(COMMANDS[command] if command != "logs" else []))
        assert not STEERS.findall(ended.out + ended.err), ended
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["status", "pr list", "pr show", "events", "session info"])
def test_at_a_terminal_only_colours_of_our_own_are_left(hostile: Api, command: str) -> None:
    said = _at_terminal(hostile, [*command.split(), *COMMANDS[command]])
    assert "PWN" in said
    own = said
    for code in ("0", "2", "31", "32", "33", "34", "35", "36"):
        own = own.replace(f"\x1b[{code}m", "")
    assert not STEERS.findall(own.replace("\r\n", "\n"))
    assert "\x1b[31m\x1b[31m" not in said
    assert said.count("\x1b[0m") == said.count("\x1b[") / 2, (
        "each colour begun is ended: none was planted"
    )


def _at_terminal(api: Api, words: list[str]) -> str:
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        api.place.command(*words),
        cwd=api.place.folder,
        env=api.place.env | {"TERM": "xterm"},
        stdout=writer,
        stderr=writer,
        stdin=writer,
    )
    os.close(writer)
    said = b""
    try:
        while piece := os.read(reader, 4096):
            said += piece
    except OSError:
        pass
    os.close(reader)
    assert process.wait(30) == 0
    return said.decode()


def test_json_says_exactly_what_was_said(hostile: Api) -> None:
    assert hostile.ennio("session", "info", ID, "--json").document["session"]["prompt"] == PLANTED
    assert hostile.ennio("output", ID, "--json").document["output"] == PLANTED


def test_who_asks_for_the_raw_output_gets_it(hostile: Api) -> None:
    assert "\x1b]0;PWN\x07" in hostile.ennio("output", ID, "--raw").out


def test_an_error_of_the_supervisor_steers_nothing(api: Api) -> None:
    api.on("GET", "/sessions", PLANTED, status=409, error="Conflict")
    ended = api.ennio("status")
    assert ended.code == 1
    assert "PWN" in ended.err
    assert not STEERS.findall(ended.err)
