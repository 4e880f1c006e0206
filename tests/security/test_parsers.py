"""Whatever stands in a file of somebody else's ends in an answer or a refusal, soon: no parser can
be made to run, grow or fall.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ennio.actors.webhooks import _object as delivery
from ennio.cli.doctor.agents import first_start
from ennio.config.model import AgentConfig, Project
from ennio.config.yaml_source import plain
from ennio.config.yaml_source import read as configuration
from ennio.http import address
from ennio.machine.local import LocalMachine
from ennio.machine.untrusted import content, json_file, json_value
from ennio.model.clock import ManualClock
from ennio.model.errors import EnnioError
from ennio.plugins.agent import aider_log, claude_trust, codex_rollout, jsonl
from ennio.plugins.agent.claude_cost import read as counts
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode_api import load_server, path_of
from ennio.plugins.agent.scripted import story, transcript
from ennio.plugins.agent.scripted.report import EarlierRun
from ennio.plugins.github.client import GitHubResponse
from ennio.plugins.runtime.ptyd import state_file
from ennio.plugins.tracker import issue_file
from ennio.plugins.tracker.linear.client import _document as linear
from ennio.plugins.tracker.local import LocalTracker, LocalTrackerSettings
from ennio.plugins.tracker.local import _content as issue_content
from ennio.plugins.workspace import private
from tests.plugins.forge.memory_store import MemoryForgeStore

SOON = 20.0  # seconds; a bomb takes minutes, or all memory there is


def bomb(levels: int = 7) -> str:
    """Nested aliases: 311 bytes that are billions of values."""
    lines = ["a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]"]
    lines += [
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]"
        for i in range(levels)
    ]
    return "\n".join([*lines, f"title: *{chr(97 + levels)}"]) + "\n"


YAML = {
    "aliases": bomb().encode(),
    "itself": b"a: &a [*a]\n",
    "merges": b"a: &a {x: 1}\n"
    + b"".join(b"b%d: &b%d {<<: [%s]}\n" % (n, n, b",".join([b"*a"] * 99)) for n in range(300)),
    "deep": b"[" * 100_000,
    "deep blocks": b"- " * 50_000,
    "many": b"[" + b"a," * 100_000 + b"]",
    "huge": b"a: b\n" * 500_000,
    "bytes": bytes(range(256)) * 4,
    "nothing": b"",
    "a tag": b"a: !!python/object/apply:os.system [id]\n",
    "no character": b'a: "\\UFFFFFFFF"\n',
    "half a character": b'a: "\\uD800"\n',
    "duplicates": b"a: 1\na: 2\n",
}
JSON = {
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "long number": b"9" * 100_000,
    "no number": b'{"pid": NaN, "total": Infinity}',
    "bytes": bytes(range(256)) * 4,
    "nothing": b"",
    "a list": b"[1, 2]",
    "a word": b'"word"',
    "half a character": b'{"a": "\\ud800"}',
    "huge": b'"' + b"x" * (80 << 20) + b'"',
}


def soon(call: Callable[[], object]) -> None:
    """It answers, or refuses in words of ours, in time."""
    begun, refused = time.monotonic(), "nothing"
    try:
        call()
    except (EnnioError, ValueError) as error:
        refused = str(error)
    assert 0 < len(refused) < 10_000
    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize("name", YAML)
def test_a_configuration_is_read_or_refused(name: str) -> None:
    soon(lambda: configuration(YAML[name]))


@pytest.mark.parametrize("name", YAML)
def test_any_other_yaml_is_read_or_refused(name: str) -> None:
    soon(lambda: plain(YAML[name], 1 << 20))


@pytest.mark.parametrize("name", YAML)
def test_an_issue_file_is_read_or_refused(name: str) -> None:
    soon(lambda: issue_file.read(f"---\n{YAML[name].decode('latin-1')}\n---\n# title\n", "7"))


@pytest.mark.parametrize(
    "body",
    [
        "#" * 200_000 + "x",
        "# " + "# " * 100_000 + "x",
        "```\n" * 100_000,
        "## Comment, 2026-" * 50_000,
    ],
)
def test_the_body_of_an_issue_file_takes_no_time(body: str) -> None:
    soon(lambda: issue_file.read(body, "7"))


@pytest.mark.parametrize("name", YAML)
def test_a_story_is_read_or_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_bytes(YAML[name])
    soon(lambda: story.read(tmp_path / "story.yaml"))


def test_an_issue_with_a_date_and_odd_numbers_reads_as_it_is_written() -> None:
    written = issue_file.read(
        "---\ntitle: 12:30\ndue: 2026-01-01\nlabels: [0777, yes]\n---\nbody\n", "7"
    )
    assert (written.title, written.labels) == ("12:30", ("0777", "True"))


@pytest.mark.parametrize("name", JSON)
def test_json_is_read_or_refused(name: str, tmp_path: Path) -> None:
    soon(lambda: json_value(JSON[name]))
    (tmp_path / "file").write_bytes(JSON[name])
    soon(lambda: json_file(tmp_path / "file", 1 << 20))


@pytest.mark.parametrize("name", JSON)
def test_what_ennio_left_in_its_own_folders_is_read_or_passed_over(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / address.ADDRESS).write_bytes(JSON[name])
    assert address.read(tmp_path) is None
    state_file.folder(tmp_path).mkdir()
    (state_file.folder(tmp_path) / "ma-1.json").write_bytes(JSON[name])
    assert state_file.read(tmp_path) == {}


@pytest.mark.parametrize("name", JSON)
def test_what_agents_left_is_read_or_passed_over(name: str, tmp_path: Path) -> None:
    desk = AgentContext(
        "ma-1", "p", tmp_path, tmp_path, "c", AgentConfig(), home=tmp_path, machine=LocalMachine()
    )
    for file in ("cost.json", "lines.jsonl", "rollout.jsonl", ".claude.json", path_of(desk).name):
        (tmp_path / file).write_bytes(JSON[name] + b"\n")
    assert counts(LocalMachine(), tmp_path) == ({}, {})
    assert load_server(desk) is None
    soon(lambda: jsonl.read_on(LocalMachine(), tmp_path / "lines.jsonl", 0))
    soon(lambda: jsonl.ending(LocalMachine(), tmp_path / "lines.jsonl"))
    soon(lambda: codex_rollout.conversation(desk, tmp_path / "rollout.jsonl"))
    soon(lambda: claude_trust.read(LocalMachine(), tmp_path / ".claude.json"))
    soon(lambda: EarlierRun(str(tmp_path / "lines.jsonl")))
    soon(lambda: first_start("claude-code", tmp_path))


@pytest.mark.parametrize("name", JSON)
def test_what_a_forge_or_a_tracker_answers_is_read_or_refused(name: str) -> None:
    soon(lambda: GitHubResponse(200, {}, JSON[name]).json())
    soon(lambda: linear(JSON[name]))
    soon(lambda: delivery(JSON[name]))


@pytest.mark.parametrize(
    "pointer",
    [b"gitdir: " + b"x" * 100_000, b"\xff\xfe", b"gitdir: a\0b", b"", b"gitdir: /dev/zero"],
)
def test_a_git_pointer_of_an_agent_is_read_or_passed_over(pointer: bytes, tmp_path: Path) -> None:
    (tmp_path / ".git").write_bytes(pointer)
    assert private.environment(LocalMachine(), tmp_path) == {}
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").symlink_to("/dev/zero")
    assert private.environment(LocalMachine(), tmp_path) == {}


def test_a_pipe_or_a_device_in_place_of_a_file_is_waited_for_by_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        (tmp_path / "cost.json").unlink(missing_ok=True)
        (tmp_path / "cost.json").symlink_to(tmp_path / name)
        soon(lambda: counts(LocalMachine(), tmp_path))
        for read in (issue_content, story.read, address.read):
            soon(lambda read=read, name=name: read(tmp_path / name))
        with pytest.raises(OSError, match="no regular file"):
            content(tmp_path / name, 100)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_no_file_of_an_agent_s_holds_up_the_supervisor(tmp_path: Path, kind: str) -> None:
    """An agent may put anything where its file was, and the supervisor looks at it every second."""
    desk = AgentContext(
        "ma-1", "p", tmp_path, tmp_path, "c", AgentConfig(), home=tmp_path, machine=LocalMachine()
    )
    for file in (tmp_path / "lines.jsonl", aider_log.history(desk)):
        if kind == "pipe":
            os.mkfifo(file)
        elif kind == "device":
            file.symlink_to("/dev/zero")
        else:
            file.mkdir()
    file = tmp_path / "lines.jsonl"
    assert jsonl.read_on(LocalMachine(), file, 0) == ([], 0)
    assert transcript.go_on(LocalMachine(), file, {})[1] == {}
    assert codex_rollout.conversation(desk, file) is None
    for look in (
        lambda: jsonl.ending(LocalMachine(), file),
        lambda: aider_log.inputs(desk),
        lambda: list(transcript.prompts(LocalMachine(), file)),
    ):
        with pytest.raises(OSError, match=r"regular file|directory"):
            look()


def test_the_tracker_names_the_file_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "7-bomb.md").write_text(f"---\n{bomb()}---\n# x\n")
    project = Project(id="p", name="p", repo="r", path=tmp_path)
    tracker = LocalTracker(project, MemoryForgeStore(), ManualClock(), LocalTrackerSettings())
    begun = time.monotonic()
    with pytest.raises(EnnioError, match=r"7-bomb\.md .*aliases"):
        tracker.issue("7")
    (tmp_path / "issues" / "8-good.md").write_text("# Something else\n")
    listed = tracker.issues()
    assert [issue.id for issue in listed] == ["7", "8"]
    assert "7-bomb.md cannot be read" in listed[0].title
    assert listed[1].title == "Something else"
    assert time.monotonic() - begun < SOON
    (tmp_path / "issues" / "7-bomb.md").write_text("x" * (2 << 20))
    with pytest.raises(EnnioError, match=r"7-bomb\.md .*larger than 1024 KiB"):
        tracker.issue("7")


def test_a_good_file_is_read_by_each_of_them(tmp_path: Path) -> None:
    """Else all of this would prove nothing."""
    told, window = {"c": {"total": 1.5, "t": 7}}, {"five_hour": {"used_percentage": 7}}
    written = {"conversation": "c", "conversations": told, "rate_limits": window}
    (tmp_path / "cost.json").write_text(json.dumps(written))
    assert counts(LocalMachine(), tmp_path) == (told, window)
    kept = address.SupervisorAddress(7, "http://x", "2026", "c")
    address.write(tmp_path, kept)
    assert address.read(tmp_path) == kept
    assert plain(b"a: &x [1, yes, 2026-01-01]\nb: *x", 100) == {
        "a": [1, True, "2026-01-01"],
        "b": [1, True, "2026-01-01"],
    }
