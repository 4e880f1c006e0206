"""Whoever names a command says which test does it: no way that is printed leads nowhere."""

from __future__ import annotations

import ast
import re
from argparse import _SubParsersAction
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ennio.cli.parser import VERBS, verb_parser
from tests.architecture import nodes
from tests.named_commands import HEALED, UNDONE

ROOT = Path(__file__).parents[1]
_GROUPS = [
    "session",
    "config",
    "queue",
    "budget",
    "preserved",
    "node",
    "pr",
    "issue",
    "notify",
    "service",
    "database",
    "debug",
]
_NAMED = re.compile(
    r"\bennio ((?:--)?[a-z][a-z-]+)(?: ([a-z-]+))?|\b(git (?:-C|clone|init|config|push|worktree|add"
    r"|pull|branch)|gh auth login|tmux -L|kill -9|sysctl|ulimit|sqlite3|ps -fp|ss -ltnp|fuser -v"
    r"|chmod|ssh-keygen|sudo \S+|npm \S+|nsc|systemctl|loginctl)\b"
)
_PROSE = {"runs", "starts", "could", "installed", "npm is", "npm is:</p"}
"""What follows our name, or npm's, where a sentence is about it."""
_FOR_READERS = ("help", "epilog", "description", "summary", "about")


def test_each_command_that_is_named_is_done_by_a_test_or_it_is_said_why_not() -> None:
    named = Counter(pair for file in _files() for pair in _pairs(file))
    known = Counter(
        (_part(file), command)
        for table in (HEALED, UNDONE)
        for places in table.values()
        for file, commands in places.items()
        for command in commands
    )
    assert sorted(named - known) == [], "say in named_commands.py which test does it"
    assert sorted(known - named) == [], "nobody names it any more"


def test_each_command_of_ours_that_is_named_is_there() -> None:
    named = {pair for file in _files() for pair in _pairs(file)}
    ours = {(where, *name.split()) for where, name in named if name.split()[0] in VERBS}
    assert [each for each in ours if not _is_there(*each[1:])] == []


def _is_there(verb: str, below: str = "") -> bool:
    groups = [one for one in verb_parser(verb)._actions if isinstance(one, _SubParsersAction)]
    return any(below in group.choices for group in groups) if below else True


def test_each_test_that_is_said_to_do_it_is_there() -> None:
    for each in HEALED:
        file, _, name = each.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), each


def _files() -> Iterator[Path]:
    yield from sorted((ROOT / "ennio").rglob("*.py"))


def _pairs(file: Path) -> set[tuple[str, str]]:
    """The commands in the texts of a file; docstrings, examples and help are for readers."""
    tree = nodes(file.read_text(encoding="utf-8"))
    skipped = set(_skipped(tree))
    texts = [_text(node) for node in tree if id(node) not in skipped]
    where = _part(file.relative_to(ROOT / "ennio").as_posix())
    found = (_command(match) for text in texts if " " in text for match in _NAMED.finditer(text))
    return {(where, command) for command in found if command not in _PROSE}


def _part(file: str) -> str:
    """Where it is named, so that a text may move to a file beside its own."""
    return file.rpartition("/")[0] or file


def _skipped(tree: Iterable[ast.AST]) -> Iterator[int]:
    for node in tree:
        if isinstance(node, ast.Expr) or (isinstance(node, ast.Assign) and _is_examples(node)):
            yield id(node.value)
        elif isinstance(node, ast.keyword) and node.arg in _FOR_READERS:
            yield from (id(one) for one in ast.walk(node.value))
        elif isinstance(node, ast.JoinedStr):
            yield from (id(one) for one in node.values)


def _is_examples(node: ast.Assign) -> bool:
    return any(isinstance(one, ast.Name) and "EXAMPLES" in one.id for one in node.targets)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values
        )
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _command(match: re.Match[str]) -> str:
    first, second, other = match.groups()
    return str(other or f"{first} {second or ''}".strip() if first in _GROUPS else other or first)
