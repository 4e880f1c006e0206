"""A command line for each argument of each command, so that no new one can be forgotten."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ennio.cli.parser import UsageError, understand
from ennio.cli.verbs.completion import parsers


def _filled(action: argparse.Action) -> list[str]:
    """Something that this argument takes."""
    return [str(next(iter(action.choices), "1")) if action.choices else "1"]


def lines(text: str) -> Iterator[tuple[str, str, list[str]]]:
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


def said(line: list[str]) -> str:
    """What is said against it, nothing where it is taken."""
    try:
        understand(line)
    except UsageError as refused:
        return str(refused)
    return ""


def refused(text: str) -> dict[tuple[str, str], str]:
    """What is said against this by each argument that does not take it."""
    told = {(path, name): said(line) for path, name, line in lines(text)}
    missing = "the following arguments are required"  # those behind it: it was taken itself
    return {each: words for each, words in told.items() if words and not words.startswith(missing)}
