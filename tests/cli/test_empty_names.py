"""An empty name, as of a variable that is not set, is refused: it meant all there are."""

from __future__ import annotations

import json

import pytest

from ennio.cli.main import main
from tests.cli.command_lines import lines, refused

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


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_no_command_takes_an_empty_name(text: str) -> None:
    """Every argument of every command is tried, so that no new one can forget it."""
    told = refused(text)
    taken = {(path, name) for path, name, _ in lines(text)} - {*told}
    assert {each for each in taken if each[1].startswith("--") or "-" not in each[1]} == LOOKED_AT
    assert all(words.startswith("argument ") for words in told.values())
    assert {("cleanup", "session"), ("cost", "--session"), ("session kill", "session")} < {*told}


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
