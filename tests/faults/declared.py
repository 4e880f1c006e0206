"""Reads the source for what acts on the world and is declared to be no fail point. Every checker
gives one sentence for each.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterator, Mapping

CHANGING = ("on_post", "on_put", "on_patch", "on_delete")
_MUTATION = re.compile(r"\bmutation ([A-Z]\w+)\(")


def commands(interface: type, declared: Collection[str]) -> list[str]:
    """Methods of an interface that answer nothing, so that they can only
    be there for what they do.
    """
    methods = {
        name: what
        for name, what in vars(interface).items()
        if inspect.isfunction(what) and not name.startswith("_")
    }
    silent = [
        name
        for name, what in methods.items()
        if inspect.signature(what).return_annotation in ("None", None)
    ]
    return [
        f"{interface.__name__}.{name} answers nothing and is no fail point"
        for name in silent
        if name not in declared
    ]


def orders(
    sources: Mapping[str, str], methods: Collection[str], declared: Collection[str]
) -> list[str]:
    """What a request that may change something (POST, PUT, PATCH, DELETE) asks of whoever has these
    methods (``noun.method``).
    """
    return [
        f"{path}:{call.lineno}: {asked} is asked by {handler.name} and is no fail point"
        for path, source in sources.items()
        for handler in _functions(source)
        if handler.name.startswith(CHANGING)
        for call in ast.walk(handler)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value).startswith("self._")
        if (asked := ".".join(ast.unparse(call.func).split(".")[-2:])) in methods
        and asked not in declared
    ]


def sending(sources: Mapping[str, str]) -> list[str]:
    """Functions that have a server do something and do not declare what (``@asks``)."""
    return [
        f"{path}:{function.lineno}: {function.name} sends and declares nothing"
        for path, source in sources.items()
        for function in _functions(source)
        if any(_sends(node) for node in ast.walk(function))
        if not any(
            ast.unparse(decorator).startswith("asks(") for decorator in function.decorator_list
        )
    ]


def mutations(sources: Mapping[str, str], declared: Collection[str]) -> list[str]:
    """Texts of GraphQL that change something."""
    found = [(path, name) for path, source in sources.items() for name in _MUTATION.findall(source)]
    return [
        f"{path}: the mutation {name} is no fail point"
        for path, name in found
        if f"request.mutation.{name}" not in declared
    ]


def _functions(source: str) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))


def _sends(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("client.send")
