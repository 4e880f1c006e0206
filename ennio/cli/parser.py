"""The command line: one verb a module, each loaded only when it is named."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn, Protocol, cast

from ennio.cli.command_result import CommandResult
from ennio.cli.context import CliContext, nearest
from ennio.model.errors import Invalid

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Begin": {
        "init": "write an ennio.yaml for a repository",
        "doctor": "find out what is missing, and how to get it",
        "demo": "see it work, without any key",
        "start": "start the supervisor",
        "reload": "let the supervisor read an edited ennio.yaml",
        "stop": "stop the supervisor; the agents go on",
        "service": "have it run for good: install, status, remove",
    },
    "Work": {
        "spawn": "set an agent to work on an issue or a prompt",
        "send": "send a message to an agent",
        "answer": "answer the question an agent asks",
        "interrupt": "interrupt what an agent is doing",
        "open": "attach to an agent's terminal",
        "output": "show what an agent's terminal shows",
        "diff": "show what a session has changed",
        "review": "give an agent comments on lines, all as one message",
        "session": "info, why, kill, restore, resume, seen, look, list",
        "queue": "what waits to be started: list, hold, release, move, drop, priority",
        "cleanup": "remove the workspaces of ended sessions",
        "preserved": "what clean-ups saved: list, show, restore",
    },
    "Look": {
        "status": "all sessions at a glance",
        "ls": "your supervisors, in whatever folder",
        "board": "all sessions, live",
        "events": "what happened, and what happens",
        "messages": "what was said to an agent, and whether it arrived",
        "notices": "what people were told, and what did not arrive",
        "cost": "what was used and what it cost",
        "conflicts": "branches that will not merge with each other",
        "budget": "limits of money and tokens: list, set, raise, remove, go-on",
        "logs": "the supervisor's log",
        "dashboard": "the same in a browser",
    },
    "Forge": {
        "pr": "pull requests: list, show, create, approve, request-changes, comment, merge, close, "
        "ready, rerun, nudge, leave-queue",
        "issue": "issues: list, add",
        "node": "machines: list, status, connect, disconnect, logs",
    },
    "Other": {
        "notify": "channels to people: list, test",
        "database": "copy it to a PostgreSQL",
        "config": "check, trust, untrust, show, schema",
        "upgrade-check": "what becomes of database, terminals and nodes with this version",
        "debug": "dump: one file with all that helps to find a fault",
        "completion": "completion for bash, zsh or fish",
        "version": "the version",
    },
}
_LONG = re.compile(r"('[^']{57})[^']{4,}'")
"""A word that nobody reads to its end, as argparse quotes it."""
TEXTS = ("--prompt", "--message", "--body")
"""Options that take ``-`` for standard input."""
VERBS: Mapping[str, str] = {
    verb: summary for group in GROUPS.values() for verb, summary in group.items()
}


class Verb(Protocol):
    """What a module in ``verbs`` offers; its docstring is the description."""

    EXAMPLES: str

    def configure(self, parser: Parser) -> None:
        """Declare arguments; set ``run`` as default (of each sub-verb)."""
        ...


Run = Callable[[argparse.Namespace, CliContext], CommandResult]


class UsageError(Invalid):
    """The command line is wrong; ``usage`` says how it goes."""

    def __init__(self, message: str, usage: str = "") -> None:
        super().__init__(message)
        self.usage = usage


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError, and takes ``--json`` and ``--config`` anywhere.

    What is given for an argument may not be empty, unless ``type=str`` says that its verb looks.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)
        self.register("type", None, _more_than_space)
        self._below: dict[str, Parser] = {}
        everywhere = self.add_argument_group("everywhere")
        everywhere.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="one JSON document on standard output",
        )
        everywhere.add_argument(
            "--config",
            metavar="FILE",
            default=argparse.SUPPRESS,
            help="the configuration (else looked for upwards)",
        )

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of ending the process."""
        message = _LONG.sub(r"\1...'", message)
        told = message + _nearest_choice(message) + self._dashes(message)
        raise UsageError(told, self.format_usage().strip())

    def understood(self, words: Sequence[str], options: argparse.Namespace) -> argparse.Namespace:
        """The options of a command line; what is left over is refused with the usage of
        the sub-verb it was given to.
        """
        given, left = self.parse_known_args(words, options)
        if left:
            refuser = self._below.get(getattr(given, "sub", None) or "", self)
            refuser.error(f"unrecognized arguments: {' '.join(left)}")
        return given

    def _dashes(self, message: str) -> str:
        """How words that begin with a dash are given, where that may be what went wrong."""
        found = re.match(r"argument (?:\S+/)?(--[\w-]+)(?: \S+)?: expected one argument", message)
        if found:
            stdin = f", or on standard input: {found[1]} -" if found[1] in TEXTS else ""
            return f"; words that begin with a dash are given as {found[1]}='-...'{stdin}"
        free = any(action.nargs == "+" and not action.option_strings for action in self._actions)
        if free and message.startswith(
            ("the following arguments are required", "unrecognized arguments: -")
        ):
            return "; words that begin with a dash stand behind --"
        return ""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End after ``--help``; what was printed leaves first, so that a closed
        pipe is noticed in time.
        """
        sys.stdout.flush()
        super().exit(status, message)

    def verbs(self, **run_of: tuple[Run, str]) -> dict[str, Parser]:
        """Sub-verbs by name, each with what it runs and its one-line help;
        underscores become dashes.
        """
        subs = self.add_subparsers(dest="sub", metavar="COMMAND", required=True)
        subs.type = str  # it is given all that follows, which the sub-verb's own arguments look at
        made = self._below
        for key, (run, words) in run_of.items():
            name = key.replace("_", "-")
            made[name] = subs.add_parser(
                name, help=words, description=words[0].upper() + words[1:] + "."
            )
            made[name].set_defaults(run=run)
        return made


def _more_than_space(text: str) -> str:
    """What was given. An empty name would mean all there are, as if none had been given."""
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "is empty; was it to come from a variable that is not set?"
        )
    return text


def _nearest_choice(message: str) -> str:
    """``, did you mean ...?`` for a word that is none of those there are to choose from, as
    argparse tells it.
    """
    found = re.search(r"invalid choice: '(.+)' \(choose from (.+)\)$", message)
    return nearest(found[1], re.findall(r"[\w-]+", found[2])) if found else ""


@dataclass(frozen=True, slots=True)
class Call:
    """A command line understood: what to run and with what."""

    run: Run
    options: argparse.Namespace
    json: bool
    config: str | None


def verb_parser(name: str) -> Parser:
    """The parser of one verb, its module loaded now."""
    module = import_module(f"ennio.cli.verbs.{name.replace('-', '_')}")
    verb = cast("Verb", module)
    parser = Parser(
        prog=f"ennio {name}",
        description=module.__doc__,
        epilog=f"examples:\n{verb.EXAMPLES.rstrip()}",
    )
    verb.configure(parser)
    return parser


def split(words: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """The options before the verb, the verb, and the rest."""
    before: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        before.append(rest.pop(0))
        if before[-1] == "--config" and rest:
            before.append(rest.pop(0))
    return before, rest[0] if rest else None, rest[1:]


def understand(words: Sequence[str]) -> Call:
    """The call a command line asks for. Raises UsageError; ``--help`` and
    ``--version`` print and exit.
    """
    before, name, rest = split(words)
    top = Parser(prog="ennio", add_help=False, usage="ennio [--json] [--config FILE] COMMAND ...")
    top.add_argument("-h", "--help", action="store_true")
    top.add_argument("-V", "--version", action="store_true")
    options = top.parse_args(before)
    if options.version:
        name, rest = "version", []
    if options.help or name in (None, "help"):
        return _help(options, name, rest)
    assert name is not None  # noqa: S101 - for the type checker
    if name not in VERBS:
        near = _below(name) or nearest(name, list(VERBS))
        raise UsageError(f"no command {name!r}{near}; all commands: ennio --help")
    parser = verb_parser(name)
    given = parser.understood(rest, options)
    return Call(given.run, given, getattr(given, "json", False), getattr(given, "config", None))


def _below(name: str) -> str:
    """``, did you mean ...?`` for a word that stands behind another command, else nothing."""
    found = [
        f"ennio {verb} {name}"
        for verb, summary in VERBS.items()
        if name in summary.rpartition(": ")[2].split(", ")
    ]
    return f", did you mean {' or '.join(found[:3])}?" if found else ""


def _help(options: argparse.Namespace, name: str | None, rest: Sequence[str]) -> Call:
    asked = rest[0] if name == "help" and rest else name
    text = verb_parser(asked).format_help() if asked in VERBS and asked is not None else overview()
    if name is None and not options.help:
        raise UsageError("a command is needed", text)

    def run(_options: argparse.Namespace, _context: CliContext) -> CommandResult:
        return CommandResult({"help": text}, text.rstrip().splitlines())

    return Call(run, options, getattr(options, "json", False), None)


def overview() -> str:
    """All commands in their groups, as ``ennio --help`` shows them."""
    lines = ["usage: ennio [--json] [--config FILE] COMMAND ...", ""]
    lines += ["Conducts many AI coding agents at once, from first prompt to merged pull request."]
    for group, verbs in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {name:<11} {summary}" for name, summary in verbs.items())]
    lines += [
        "",
        "exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 no supervisor, 5 refused",
    ]
    lines += ["", "ennio COMMAND --help tells more; ennio demo needs nothing but git."]
    return "\n".join(lines) + "\n"
