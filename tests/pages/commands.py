"""The table of every command's arguments, from the parsers that read them."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module

from ennio.cli.parser import GROUPS, Parser, verb_parser
from tests.pages.markdown import table

EVERYWHERE = ("--help", "--json", "--config")
PLAIN = "the session's id"
"""Said at the top of the page, for all."""


def commands() -> Iterator[str]:
    """Every command in its group, as ``ennio --help`` has them."""
    for group, verbs in GROUPS.items():
        yield f"## {group}\n"
        for verb in verbs:
            yield from _verb(verb)


def _verb(name: str) -> Iterator[str]:
    module = import_module(f"ennio.cli.verbs.{name.replace('-', '_')}")
    parser = verb_parser(name)
    yield f"### {name}\n"
    yield f"{_prose(module.__doc__ or '')}\n"
    yield from _subs(parser)
    if parser.get_default("run") is not None:
        yield from _arguments(parser)
    yield f"```sh\n{textwrap.dedent(module.EXAMPLES).strip()}\n```\n"


def _prose(words: str) -> str:
    return inspect.cleandoc(words).replace("``", "`")


def _subs(parser: Parser) -> Iterator[str]:
    """The sub-commands, in the order in which ``--help`` names them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {each.dest: each.help or "" for each in action._choices_actions}
            for name, sub in action.choices.items():
                words = summaries.get(name) or sub.description or ""
                yield f"**{name}**: {words.rstrip('.')}.\n"
                yield from _arguments(sub)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"```\n{' '.join([parser.prog, *_usage(parser)])}\n```\n"
    shown = [one for one in _own(parser) if one.help not in (argparse.SUPPRESS, PLAIN)]
    yield from table(
        ("Argument", "Means"),
        ((f"`{_name(action)}`", _means(action)) for action in shown),
    )


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [
        action
        for action in parser._actions
        if not set(EVERYWHERE) & set(action.option_strings)
        and not isinstance(action, argparse._SubParsersAction)
    ]


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    """What has to be given, and that there is more."""
    own = _own(parser)
    for action in own:
        if not action.option_strings:
            yield _positional(action)
        elif action.required:
            yield f"{action.option_strings[-1]} {_value(action)}"
    if any(action.option_strings and not action.required for action in own):
        yield "[OPTIONS]"


def _positional(action: argparse.Action) -> str:
    name = _value(action)
    many = {"*": f"[{name} ...]", "+": f"{name} ...", "?": f"[{name}]"}
    return many.get(str(action.nargs), name)


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return _value(action)
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return ", ".join(action.option_strings) + value


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if isinstance(action.metavar, str):
        return action.metavar if action.option_strings else action.metavar.upper()
    return action.dest.upper().replace("_", "-")


def _means(action: argparse.Action) -> str:
    words = (action.help or "") % {"default": action.default, "prog": "ennio"}
    choices = ", ".join(f"`{choice}`" for choice in action.choices or ())
    return f"{words}: {choices}" if choices and len(choices) < 200 else words
