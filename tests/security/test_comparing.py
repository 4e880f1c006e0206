"""Secrets are compared in a time that tells nothing of where they differ: read from the code, for
no clock could prove it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ennio

SOURCE = Path(ennio.__file__).parent
SECRET = re.compile(
    r"(?:\A|_)(?:token|secret|signature|signed|password|passphrase|cookie|bearer|expected)s?\Z|\A_digest\Z"
)
BY_VALUE = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def _name(node: ast.expr) -> str:
    """The last word by which a value is called; of a call, what is called."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case ast.Call(function):
            return _name(function)
        case ast.Subscript(_, ast.Constant(str(key))):
            return key
    return ""


def comparisons(tree: ast.AST) -> Iterator[ast.Compare]:
    """Every comparison by value that a secret takes part in; one with a fixed text, a count
    or None betrays nothing.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(operator, BY_VALUE) for operator in node.ops
        ):
            sides = [node.left, *node.comparators]
            if any(SECRET.search(_name(side)) for side in sides) and not any(
                isinstance(side, ast.Constant) for side in sides
            ):
                yield node


def test_no_secret_is_compared_but_by_compare_digest() -> None:
    found = [
        f"{path.relative_to(SOURCE.parent)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in comparisons(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_reading_finds_what_it_looks_for() -> None:
    told = (
        "if token == self._token: ...\nif given.secret in known: ...\nif _digest(a) != "
        "_digest(b): ...\nif code['password'] == x: ..."
    )
    assert len(list(comparisons(ast.parse(told)))) == 4
    assert not list(
        comparisons(ast.parse("token is None\ntoken == ''\nlen(token) > 3\nkind == 'secret'"))
    )


def test_every_door_compares_by_compare_digest() -> None:
    """The API's token, a session's bell, a browser's cookie, a forge's signature."""
    doors = (
        "http/auth.py",
        "actors/answer_links.py",
        "actors/hook_token.py",
        "http/browser.py",
        "plugins/github/webhook.py",
    )
    for door in doors:
        assert "hmac.compare_digest(" in (SOURCE / door).read_text(encoding="utf-8"), door
