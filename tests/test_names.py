"""Names of modules and of what is in them that tests hold as text, which no type checker
sees and no import tries.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture import nodes

ROOT = Path(__file__).resolve().parents[1]
DOTTED = re.compile(r"(?:ennio|tests)(?:\.\w+)+(?::[A-Za-z_]\w*)?")
ENDINGS = (
    ".yaml",
    ".yml",
    ".db",
    ".lan",
    ".json",
    ".log",
)  # a file or a host of a test, and no module
TAKEN = re.compile(r"\bfrom ((?:ennio|tests)[.\w]*) import (\w+(?: as \w+)?(?:, \w+(?: as \w+)?)*)")
WHOLE = re.compile(r"\bimport ((?:ennio|tests)(?:\.\w+)+)")
MAYBE = re.compile(r"""["'](?:ennio|tests)\.|(?:from|import) (?:ennio|tests)\b""")
IMPORT = re.compile(r"^(?:from|import) .*", re.MULTILINE)
AFTER_IMPORTS = re.compile(r"^(?:def|class|@|if|[A-Za-z_]\w* ?[:=(])", re.MULTILINE)
UNREAL = (
    "test_architecture.py",
    "test_names.py",
)  # sources that are made up, to see that they are noticed


@cache
def _bound(file: Path) -> frozenset[str]:
    """The names a module has once it was imported, wherever in it they are bound."""
    found: set[str] = set()
    for node in nodes(file.read_text(encoding="utf-8")):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return frozenset(found)


def missing(name: str) -> str:
    """What of a dotted name is not there, in a sentence; nothing when all
    of it is. Imports nothing.
    """
    place, (*parts,) = ROOT, re.split(r"[.:]", name)
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if parts and (place / f"{parts[0]}.py").exists():
        place /= f"{parts.pop(0)}.py"
    module = place / "__init__.py" if place.is_dir() else place
    known = _bound(module) if module.exists() else frozenset[str]()
    return (
        f"{name}: {module.relative_to(ROOT)} has no {parts[0]}"
        if parts and parts[0] not in known
        else ""
    )


def named(source: str) -> Iterator[tuple[int, str]]:
    """Each name that a file of tests holds as text, alone or inside of a program, with its line."""
    for node in nodes(source):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = node.value
        if DOTTED.fullmatch(text) and not text.endswith(ENDINGS):
            yield node.lineno, text
        yield from ((node.lineno, name) for name in WHOLE.findall(text))
        for module, names in TAKEN.findall(text):
            yield from (
                (node.lineno, f"{module}.{name.split(' ')[0]}") for name in names.split(", ")
            )


def may_name(source: str) -> bool:
    """Whether a file may hold a name as text: most do not, and need not be taken apart."""
    begins = AFTER_IMPORTS.search(source)
    end = begins.start() if begins else len(source)
    return bool(MAYBE.search(IMPORT.sub("", source[:end]) + source[end:]))


def test_every_name_that_tests_hold_as_text_is_there() -> None:
    files = [file for file in (ROOT / "tests").rglob("*.py") if file.name not in UNREAL]
    sources = {file: file.read_text(encoding="utf-8") for file in files}
    found = [
        (file, line, missing(name))
        for file, source in sources.items()
        if may_name(source)
        for line, name in named(source)
    ]
    assert len(found) > 50, "names are looked for where they stand no longer"
    assert [
        f"{file.relative_to(ROOT)}:{line}: {words}" for file, line, words in found if words
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "patch('ennio.plugins.git.STALLED')",
        "run(python, '-m', 'ennio.supervisor')",
        "CODE = 'import sys; from ennio.plugins import git, gut'",
        "CODE = f'import sys, ennio; import ennio.nowhere.at_all; {sys}'",
        "START = ('ennio.supervise:man',)",
        r"CODE = 'import sys\nimport ennio.nowhere'",
    ],
)
def test_a_name_that_is_gone_is_noticed(source: str) -> None:
    assert may_name(f"from ennio import boot\n\nHELD = ({source})")
    assert len([name for _, name in named(source) if missing(name)]) == 1


def test_what_is_there_and_what_names_no_module_is_left_alone() -> None:
    source = (
        "'ennio.plugins.git.STALL', 'ennio.yaml', 'from ennio.plugins.git import Git as G', "
        "'ennio.supervise:main', 'ennio.boot'"
    )
    assert [words for _, name in named(source) if (words := missing(name))] == []
