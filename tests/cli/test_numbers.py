"""A number that means nothing is refused before anything is done: whoever waits -1 seconds waits
for something that has not come, and is told what is not so.
"""

from __future__ import annotations

import pytest

from ennio.cli.main import main
from tests.cli.command_lines import refused

LOOKED_AT_THERE = {
    ("budget raise", "--tokens"),
    ("budget set", "--tokens"),
    ("budget set", "--warn-at"),
    ("events", "--after"),
    ("events", "--before"),
    ("events", "--limit"),
    ("notices", "--limit"),
    ("output", "--lines"),
    ("pr approve", "--line"),
    ("pr comment", "--line"),
    ("pr request-changes", "--line"),
    ("queue move", "position"),
    ("queue priority", "priority"),
    ("spawn", "--priority"),
}
"""Whole numbers and parts that the API has bounds for, and whoever sends them is told these."""
NONSENSE = ("nan", "inf", "1e400", "-1", "-0.5", "1 0")


def _numbers() -> set[tuple[str, str]]:
    """The arguments that take a number: no word, and not one of some choices."""
    told = refused("word").items()
    long = {each for each, words in told if "invalid choice" not in words}
    return {each for each in long if each[1].startswith("--") or "-" not in each[1]}


@pytest.mark.parametrize("text", NONSENSE)
def test_no_command_takes_a_number_that_means_nothing(text: str) -> None:
    assert _numbers() - {*refused(text)} <= LOOKED_AT_THERE


def test_each_argument_that_takes_a_number_is_known() -> None:
    numbers = _numbers()
    assert numbers >= LOOKED_AT_THERE
    waiting = {each for each in numbers if each[1] == "--timeout"}
    assert waiting == {
        (verb, "--timeout") for verb in ("reload", "service install", "start", "stop")
    }
    assert {("logs", "--lines"), ("node logs", "--lines"), ("demo", "--limit")} <= numbers


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("stop --timeout -1", "argument --timeout: -1 is no time to wait: write a number of sec"),
        ("start --detach --timeout nan", "argument --timeout: nan is no time to wait"),
        ("reload --timeout 1e400", "argument --timeout: 1e400 is no time to wait"),
        ("logs -n 0", "argument -n/--lines: 0 is no number from 1 to"),
        ("node logs my-app --lines -1", "argument --lines: -1 is no number from 1 to"),
        ("demo --limit inf", "argument --limit: inf is no number above 0"),
        ("demo --speed fast", "argument --speed: fast is no number above 0"),
    ],
)
def test_it_is_wrong_usage_and_says_which_number(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    assert words in capsys.readouterr().err
