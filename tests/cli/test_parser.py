"""The command line as such: help, usage, suggestions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import ennio.cli.verbs
from ennio.cli.main import main
from ennio.cli.parser import VERBS, UsageError, overview, understand, verb_parser
from ennio.cli.verbs.completion import bash, fish, named, words

DOCUMENTED = (
    "init .",
    "start",
    "stop",
    "status",
    "status my-app",
    "spawn my-app --issue 42",
    "spawn my-app -i 42 -p words -b branch -r role",
    "send ma-1 words",
    "session info ma-1",
    "session kill ma-1",
    "session restore ma-1",
    "session resume ma-1 --at-reset",
    "session list",
    "session list my-app",
    "dashboard",
    "dashboard --port 3000",
    "open ma-1",
    "preserved list",
    "preserved show ma-1",
    "preserved restore ma-1 --branch mine",
    "node status",
    "node status host",
    "node list",
    "node connect my-app",
    "node disconnect my-app",
)


@pytest.mark.parametrize("line", DOCUMENTED)
def test_every_documented_command_line_is_understood(line: str) -> None:
    assert callable(understand(line.split()).run)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_command_has_help_with_examples(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"usage: ennio {verb}" in out
    assert f"examples:\n  ennio {verb}" in out


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_example_of_the_help_is_understood(verb: str) -> None:
    import shlex

    examples = [
        line.split("#  ")[0]
        for line in (verb_parser(verb).epilog or "").splitlines()
        if "ennio " in line
    ]
    assert examples
    for example in examples:
        argv = shlex.split(
            example[example.index("ennio ") :].split(" | ")[0].split(" > ")[0],
            comments=" #" in example,
        )
        assert callable(understand(argv[1:]).run)


@pytest.mark.parametrize("path", sorted(path for path in words() if path))
def test_every_command_says_in_json_what_is_wrong_with_its_use(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    assert main([*path.split(), "--json", "--no-such-option"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == 2
    assert told["error"]


def test_the_demo_is_given_what_it_is_called_with() -> None:
    call = understand(["demo", "--speed", "3", "--json"])
    assert (call.options.speed, call.json) == (3.0, True)


@pytest.mark.parametrize(
    "line", ["demo --speed 0", "demo --limit -1", "demo --speed fast", "demo --no-such-option"]
)
def test_the_demo_refuses_what_it_cannot_take(line: str) -> None:
    with pytest.raises(UsageError):
        understand(line.split())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nosuch", "--agent: `nosuch` is no agent plugin: known are claude-code, aider"),
        ("claude_code", "--agent: `claude_code` is no agent plugin: did you mean `claude-code`?"),
        ("command", "--agent: what `command` runs is written in a configuration"),
    ],
)
def test_the_demo_names_the_option_for_an_agent_that_it_cannot_play_with(
    name: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--agent", name]) == 2
    assert f"ennio demo: {told}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--to x", "--to: names no server: write postgresql://user@host/database"),
        ("--to sqlite:x.db", "--to: names no server: write postgresql://user@host/database"),
        ("--to postgresql://h/d --from x", "--from: names no file of SQLite: write sqlite:FILE"),
    ],
)
def test_what_a_copy_of_the_database_cannot_take_is_not_what_it_offers(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = [] if "--from" in line else ["--from", "sqlite:a.db"]
    assert main(["database", "copy", *line.split(), *source]) == 2
    assert capsys.readouterr().err == f"ennio: {told}\n"


def test_the_overview_names_every_command_and_every_command_has_a_module() -> None:
    modules = {file.stem for file in Path(ennio.cli.verbs.__file__).parent.glob("*.py")} - {
        "__init__"
    }
    assert modules == {verb.replace("-", "_") for verb in VERBS}
    assert all(f"  {verb} " in overview() for verb in VERBS)


@pytest.mark.parametrize(
    "line", ["--json session list", "session --json list", "session list --json"]
)
def test_json_may_stand_anywhere(line: str) -> None:
    assert understand(line.split()).json


@pytest.mark.parametrize(
    "line", ["--config x.yaml status", "status --config x.yaml", "--config=x.yaml status"]
)
def test_the_configuration_may_be_named_anywhere(line: str) -> None:
    assert understand(line.split()).config == "x.yaml"


@pytest.mark.parametrize(("name", "meant"), [("kill", "session kill"), ("merge", "pr merge")])
def test_a_command_that_stands_behind_another_is_led_to(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean ennio {meant}?"):
        understand([name, "x"])


def test_an_unknown_command_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'status'"):
        understand(["statsu"])


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("session kil ma-1", "kill"),
        ("queue prioritty ma-1 5", "priority"),
        ("pr mrege app#1", "merge"),
        ("demo --runtime tmx", "tmux"),
        ("completion zhs", "zsh"),
    ],
)
def test_a_word_that_is_none_to_choose_from_suggests_the_nearest(line: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{meant}'"):
        understand(line.split())


def test_a_word_that_is_near_to_none_of_the_choices_is_led_nowhere() -> None:
    with pytest.raises(UsageError) as refused:
        understand(["session", "xyzzy"])
    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize("port", ["0", "65536", "70000", "-1", "web", "3000.5", ""])
def test_every_option_that_takes_a_port_refuses_what_is_none(port: str) -> None:
    """A link with such a port would lead nowhere."""
    taken = [
        (path, option)
        for path, those in words().items()
        for option in those
        if re.search(r"\bport\b", option)
    ]
    assert ("dashboard", "--port") in taken
    for path, option in taken:
        with pytest.raises(UsageError, match="is no port: write a number from 1 to 65535"):
            understand([*path.split(), f"{option}={port}"])


def test_the_first_and_the_last_port_are_taken() -> None:
    for port in (1, 65535):
        assert understand(["dashboard", "--port", str(port)]).options.port == port


def test_an_option_is_never_guessed_from_its_beginning() -> None:
    with pytest.raises(UsageError, match="--bran"):
        understand(["spawn", "my-app", "--bran", "x"])


def test_a_message_may_look_like_an_option_behind_two_dashes() -> None:
    assert understand(["send", "ma-1", "--", "--force", "it"]).options.message == ["--force", "it"]


def test_completion_knows_what_follows_each_command() -> None:
    tree = words()
    assert set(VERBS) <= set(tree[""])
    assert {"info", "why", "kill", "restore", "list"} <= set(tree["session"])
    assert "--dry-run" in tree["spawn"]
    assert '" pr merge"*)' in bash(tree)
    assert "-a request-changes" in fish(tree)


def test_completion_asks_for_names_where_a_name_comes_first() -> None:
    assert named()["open"] == named()["session kill"] == "sessions"
    assert (named()["spawn"], named()["pr merge"]) == ("projects", "pulls")
    assert "queue list" not in named()


def test_bash_completes_the_names_that_ennio_tells(tmp_path: Path) -> None:
    told = tmp_path / "ennio"
    told.write_text('#!/bin/sh\n[ "$4" = sessions ] && echo ma-1a2b3c4d && echo other\n')
    told.chmod(0o755)
    typed = "COMP_WORDS=(ennio session kill ma); COMP_CWORD=3; _ennio; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "-c", f"{bash(words())}\n{typed}"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["ma-1a2b3c4d"]


@pytest.mark.parametrize(
    ("line", "way"),
    [
        (["spawn", "app", "-p", "-v"], "--prompt='-...', or on standard input: --prompt -"),
        (["spawn", "app", "--prompt", "---"], "--prompt='-...'"),
        (["pr", "comment", "app#1", "-m", "-x"], "--message='-...'"),
        (["send", "ma-1", "-v"], "stand behind --"),
        (["send", "ma-1", "words", "-v"], "stand behind --"),
        (["answer", "ma-1", "--no"], "stand behind --"),
    ],
)
def test_words_that_begin_with_a_dash_are_told_how_to_be_given(line: list[str], way: str) -> None:
    with pytest.raises(UsageError) as refused:
        understand(line)
    assert way in str(refused.value)


@pytest.mark.parametrize("line", ["session kill ma-1 ma-2", "budget remove global:daily ma-2"])
def test_a_word_too_many_is_refused_with_the_usage_of_its_sub_verb(line: str) -> None:
    words = line.split()
    with pytest.raises(UsageError, match="unrecognized arguments: ma-2") as refused:
        understand(words)
    assert refused.value.usage.startswith(f"usage: ennio {words[0]} {words[1]} ")


def test_words_that_begin_with_a_dash_can_be_given() -> None:
    assert understand(["spawn", "app", "--prompt=-v"]).options.prompt == "-v"
    assert (
        understand(["spawn", "app", "-p", "--json does not work, mend it"]).options.prompt
        == "--json does not work, mend it"
    )
    assert understand(["send", "ma-1", "--", "-v", "--json"]).options.message == ["-v", "--json"]
