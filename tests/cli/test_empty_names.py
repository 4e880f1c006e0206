"""An empty name, as of a variable that is not set, is refused: it meant all there are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import pytest

from ennio.cli.main import main
from ennio.cli.parser import UsageError, understand
from ennio.cli.verbs.completion import parsers

LOOKED_AT = {
    ("answer", "answer"),  # joined with what follows, and then looked at: `text_of`
    ("send", "message"),
    ("review", "--comment"),  # a place and words, each refused in words of its own
    ("issue add", "--body"),  # none is an answer too
    ("pr create", "--body"),
}
"""What the command line takes although it is empty."""
MEANT_ALL = (
    ["cleanup", "", "--dry-run"],
    ["cleanup", "--force", "--project", "", "--dry-run"],
    ["cost", "--project", ""],
    ["cost", "--session="],
    ["status", ""],
    ["session", "list", ""],
    ["events", "--project", ""],
    ["budget", "set", "session", "", "--limit", "1"],
    ["pr", "merge", "my-app", "7", "--head", ""],
    ["node", "status", ""],
    ["--config", "", "status"],
)


def _filled(action: argparse.Action) -> list[str]:
    """Something that this argument takes."""
    return [str(next(iter(action.choices), "1")) if action.choices else "1"]


def _lines(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Each argument of each command that takes something, with a command line that gives it this."""
    for path, parser in parsers():
        before: list[str] = []
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction) or action.nargs == 0:
                continue
            many = action.nargs if isinstance(action.nargs, int) else 1
            if not action.option_strings:
                yield path, action.dest, [*path.split(), *before, text]
                before += _filled(action)
            for option in action.option_strings:
                given = [f"{option}={text}"] if many == 1 else [option, *[text] * many]
                yield path, option, [*path.split(), *given]


def _said(line: list[str]) -> str:
    """What is said against it, nothing where it is taken."""
    try:
        understand(line)
    except UsageError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_no_command_takes_an_empty_name(text: str) -> None:
    """Every argument of every command is tried, so that no new one can forget it."""
    said = {(path, name): _said(line) for path, name, line in _lines(text)}
    missing = "the following arguments are required"  # those behind it: it was taken itself
    taken = {each for each, words in said.items() if not words or words.startswith(missing)}
    assert {each for each in taken if each[1].startswith("--") or "-" not in each[1]} == LOOKED_AT
    odd = {each: words for each, words in said.items() if not words.startswith("argument ")}
    assert odd.keys() == taken
    assert {("cleanup", "session"), ("cost", "--session"), ("session kill", "session")} < {*said}


@pytest.mark.parametrize("line", MEANT_ALL, ids=" ".join)
def test_an_empty_name_is_wrong_usage_and_says_which_is_empty(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "is empty; was it to come from a variable that is not set?" in told.err
    assert main([*line, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == 2
