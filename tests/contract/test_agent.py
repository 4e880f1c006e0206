"""What every agent promises, asked of each of them with commands that really run.

The four agents that are programs of others are stood in for by a program of their name that writes
down how it was called.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.answer import Answer
from ennio.model.clock import SystemClock
from ennio.model.errors import ConfigError, Invalid
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent.interface import Agent, AgentContext, CommandLine
from ennio.plugins.registry import PluginContext, factory
from ennio.plugins.runtime.interface import View

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONVERSATION = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
SECRET = "sk-very-secret-1234567890"
RECORDER = f"""#!{sys.executable} -IS
import json, os, sys
if "--version" in sys.argv:
    print("9.9.9 (recorder)"); sys.exit()
stdin = "" if os.isatty(0) else sys.stdin.read()
with open(os.environ["RECORD"], "w") as out:
    json.dump({{"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "stdin": stdin}}, out)
"""
KINDS = {
    "claude-code": AgentConfig(
        model="opus", permissions="--dangerously-skip-permissions", passthrough={"max_turns": 200}
    ),
    "aider": AgentConfig(model="opus", permissions="--yes-always"),
    "codex": AgentConfig(model="gpt-5", permissions="never"),
    "opencode": AgentConfig(model="anthropic/opus"),
    "command": AgentConfig(passthrough={"argv": ["recorder", "--say={prompt}", "{prompt_file}"]}),
    "command-run": AgentConfig(passthrough={"run": 'recorder "$(cat "$ENNIO_PROMPT_FILE")"'}),
    "command-stdin": AgentConfig(passthrough={"argv": ["recorder"], "stdin": True}),
    "scripted": AgentConfig(
        passthrough={"speed": 1000, "story": [{"on": "prompt", "steps": [{"say": "{prompt}"}]}]}
    ),
    "stub": AgentConfig(),
}
NASTY = {
    "command substitution": "$(touch pwned) `touch pwned` ; touch pwned & | > pwned",
    "quotes": """it's "quoted" \\' \\" '''three''' """ + "x",
    "lines": "first\n\nthird\n\ttabbed",
    "leading dash": "--dangerously-skip-permissions -rf --help --version",
    "variables": "${HOME} $PATH %s {session} {prompt} {prompt_file} {branch} ~ * ?",
    "unicode": "Zürich 漢字 🎼 \u202e",
    "long": "word " * 20_000,
}


@dataclass
class Bench:
    """A workspace, a session's folder, and a PATH on which every executable
    writes down how it was called.
    """

    kind: str
    root: Path
    config: AgentConfig
    agent: Agent
    desk: AgentContext
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, command: CommandLine) -> dict[str, object]:
        """Start it as a runtime would: files first, the exact environment, a
        terminal that then ends.
        """
        for file, text in command.files.items():
            file.write_text(text)
        record = self.root / "record.json"
        record.unlink(missing_ok=True)
        outer, inner = pty.openpty()
        try:
            env = {**self.environment, **command.env}
            child = subprocess.Popen(
                command.argv, cwd=self.desk.workspace, env=env, stdin=inner, stdout=subprocess.PIPE
            )
            output = leave(child, outer)
        finally:
            os.close(outer)
            os.close(inner)
        ours = self.kind in ("scripted", "stub")  # their programs write nothing down
        told = {"argv": list(command.argv), "stdin": ""} if ours else json.loads(record.read_text())
        return {**told, "output": output.decode(errors="replace")}


def leave(child: subprocess.Popen[bytes], terminal: int) -> bytes:
    """Press Ctrl-D until the program has ended; which program waits for it, and
    when, is its own affair.
    """
    for _ in range(100):
        try:
            return child.communicate(timeout=0.2)[0]
        except subprocess.TimeoutExpired:
            os.write(terminal, b"\x04")
    child.kill()
    pytest.fail(f"it did not end: {child.args!r}")


def make(kind: str, config: AgentConfig) -> Agent:
    name = kind.partition("-")[0] if kind.startswith("command") else kind
    context = PluginContext(
        Home(Path("/nowhere")), SystemClock(), settings=config.passthrough, agent_config=config
    )
    made: Agent = factory("agent", name)(context)
    return made


@pytest.fixture(params=list(KINDS))
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    for folder in ("bin", "desk", "work", "home"):
        (tmp_path / folder).mkdir()
    for name in ("claude", "aider", "codex", "opencode", "recorder"):
        (tmp_path / "bin" / name).write_text(RECORDER)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    config = KINDS[request.param]
    desk = AgentContext(
        "app-1a2b3c4d",
        "app",
        tmp_path / "work",
        tmp_path / "desk",
        CONVERSATION,
        config,
        branch="issue-1",
        base="main",
        home=tmp_path / "home",
        machine=LocalMachine(),
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "RECORD": str(tmp_path / "record.json"),
        "TERM": "xterm",
    }
    return Bench(request.param, tmp_path, config, make(request.param, config), desk, environment)


def arrived(command: CommandLine, told: dict[str, object]) -> set[str]:
    """Each thing the program was given to read, by whichever way: its
    arguments, its input, its files.
    """
    argv = told["argv"]
    assert isinstance(argv, list)
    arguments = {word.removeprefix("--prompt=").removeprefix("--say=") for word in argv}
    return {*arguments, str(told["stdin"]), *(file.read_text() for file in command.files)}


@pytest.mark.parametrize("words", NASTY.values(), ids=list(NASTY))
def test_incident_48_nothing_of_a_prompt_is_interpreted(bench: Bench, words: str) -> None:
    for command in (bench.agent.launch(bench.desk, words), bench.agent.resume(bench.desk, words)):
        told = bench.run(command)
        assert os.listdir(bench.desk.workspace) == []
        if command.carries:
            assert words in arrived(command, told)


def test_words_that_begin_with_a_dash_are_no_flags(bench: Bench) -> None:
    told = bench.run(bench.agent.launch(bench.desk, "--evil"))
    argv = told["argv"]
    assert isinstance(argv, list)
    if "--evil" in argv and bench.kind != "command-run":
        assert "--" in argv[: argv.index("--evil")]


def test_a_prompt_with_nul_is_refused_by_name(bench: Bench) -> None:
    for give in (bench.agent.launch, bench.agent.resume):
        with pytest.raises(Invalid, match=r"(prompt|message): holds a NUL character at position 3"):
            give(bench.desk, "abc\0def")


def test_half_a_character_is_refused(bench: Bench) -> None:
    with pytest.raises(Invalid, match="surrogate"):
        bench.agent.launch(bench.desk, "abc\ud800")


def test_a_prompt_too_long_for_a_command_line_is_never_part_of_one(bench: Bench) -> None:
    words = "x" * 300_000
    if bench.kind == "command":
        with pytest.raises(ConfigError, match="prompt_file"):
            bench.agent.launch(bench.desk, words)
        return
    command = bench.agent.launch(bench.desk, words)
    assert max(len(word.encode()) for word in command.argv) < 128 * 1024
    assert not command.carries or any(words in text for text in command.files.values())


def test_incident_45_every_file_lies_in_the_sessions_own_folder(bench: Bench) -> None:
    bench.agent.prepare(bench.desk)
    for command in (
        bench.agent.launch(bench.desk, "go"),
        bench.agent.resume(bench.desk, "on"),
        bench.agent.resume(bench.desk, None),
    ):
        assert all(file.parent == bench.desk.directory for file in command.files)
        bench.run(command)
    assert os.listdir(bench.desk.workspace) == []


def test_what_was_settled_for_a_session_is_undone_with_it(bench: Bench) -> None:
    bench.agent.forget(bench.desk)
    for _ in range(2):
        bench.agent.prepare(bench.desk)
        bench.run(bench.agent.launch(bench.desk, "go"))
    for _ in range(2):
        bench.agent.forget(bench.desk)
    persons = [file.read_text() for file in bench.desk.home.rglob("*") if file.is_file()]
    assert not any(str(bench.desk.workspace) in text for text in persons)


def test_no_secret_is_on_a_command_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in bench.agent.passed_variables:
        monkeypatch.setenv(
            name, SECRET if not name.endswith(("_HOME", "_DIR")) else str(bench.root)
        )
    for command in (bench.agent.launch(bench.desk, "go"), bench.agent.resume(bench.desk, "on")):
        assert not any(SECRET in word for word in command.argv)


def test_a_secret_in_the_configuration_is_sent_to_the_environment(bench: Bench) -> None:
    config = AgentConfig(passthrough={"api_key": SECRET})
    if bench.kind == "stub":
        return
    with pytest.raises(ConfigError, match=r"agent_config\.passthrough\.api_key"):
        make(bench.kind, config).launch(
            AgentContext(
                "s", "p", bench.root, bench.root, CONVERSATION, config, machine=LocalMachine()
            ),
            "go",
        )


def test_typed_words_stay_the_same_words_in_their_order(bench: Bench) -> None:
    for words in (
        "go on",
        "!touch x",
        "/exit",
        "two\n\nlines",
        "  indented",
        "exit",
        "ends with \\",
        "@a",
    ):
        assert " ".join(bench.agent.typed(words).split()).endswith(" ".join(words.split()))


def test_no_key_is_left_in_typed_words(bench: Bench) -> None:
    typed = bench.agent.typed("".join(map(chr, range(1, 0xA0))) + "\r\nend")
    assert not any(
        letter not in ("\n", "\t") and unicodedata.category(letter) == "Cc" for letter in typed
    )
    assert all(letter in typed for letter in ("\u2403", "\u241b", "\u2421"))


def test_a_screen_that_nobody_knows_is_no_place_to_type(bench: Bench) -> None:
    if bench.kind == "stub":
        return
    page = ("a page", "that nobody knows", "", "")
    assert bench.agent.input_box(View(page, page, 0, 2, 80)) is None


def test_resume_with_and_without_words(bench: Bench) -> None:
    bench.run(bench.agent.launch(bench.desk, "the first words"))
    silent, spoken = (
        bench.agent.resume(bench.desk, None),
        bench.agent.resume(bench.desk, "the second words"),
    )
    assert not silent.carries
    assert spoken.carries == bench.agent.launch(bench.desk, "x").carries or bench.kind == "scripted"
    assert not any("None" in word for word in silent.argv)


def test_the_same_call_gives_the_same_command(bench: Bench) -> None:
    assert bench.agent.launch(bench.desk, "go") == bench.agent.launch(bench.desk, "go")
    assert bench.agent.resume(bench.desk, "on") == bench.agent.resume(bench.desk, "on")


def test_incident_16_who_has_ended_is_not_busy_whatever_it_said_last(bench: Bench) -> None:
    if bench.kind == "stub":
        return
    (bench.desk.directory / "transcript.jsonl").write_text(
        '{"t": 1, "type": "ready", "pid": 1}\n{"t": 2, "type": "turn_started"}\n'
    )
    gone = ProcessSeen(Presence.GONE, NOW, "test", pid=1, exit_code=0)
    seen = bench.agent.observe(bench.desk, {}, gone, None, NOW).seen
    assert (seen.activity, seen.ready) == (Activity.EXITED, False)


def test_incident_25_no_agent_is_ready_before_it_shows_or_tells_it(bench: Bench) -> None:
    alive = ProcessSeen(Presence.ALIVE, NOW, "test", pid=4242)
    reading = bench.agent.observe(bench.desk, {}, alive, "", NOW)
    assert reading.seen.ready == (bench.agent.one_shot and reading.seen.source == "process")


def test_who_does_not_tell_leaves_it_unknown_whether_words_arrived(bench: Bench) -> None:
    expected = Answer.NO if bench.agent.reports_activity else Answer.UNKNOWN
    assert bench.agent.received(bench.desk, "never said", NOW) is expected


def test_an_installed_agent_tells_its_version(bench: Bench) -> None:
    assert bench.agent.version()


def test_a_missing_agent_has_no_version_and_a_hint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.agent.hint
    monkeypatch.setenv("PATH", str(bench.root / "empty"))
    if bench.kind not in ("scripted", "stub", "command-run"):
        assert bench.agent.version() is None


def test_looks_go_on_where_the_last_one_ended(bench: Bench) -> None:
    transcript = bench.desk.directory / "transcript.jsonl"
    alive = ProcessSeen(Presence.ALIVE, NOW, "test", pid=7)
    transcript.write_text('{"t": 1, "type": "ready", "pid": 7}\n{"t": 2, "type": "turn_ended"}\n')
    first = bench.agent.observe(bench.desk, {}, alive, None, NOW)
    with transcript.open("a") as more:
        more.write('{"t": 3, "type": "turn_ended"}\n')
    second = bench.agent.observe(bench.desk, first.cursor, alive, None, NOW)
    assert bench.agent.observe(bench.desk, {}, alive, None, NOW).seen == second.seen
    assert all(isinstance(value, str) for value in second.cursor.values())
