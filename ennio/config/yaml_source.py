"""A YAML text as plain values, each with its place, and every surprise of YAML 1.1 named.

Keys are taken as they are written (``on`` is the text ``on``). Values that YAML 1.1 reads
differently from what stands there (``0777``, ``12:30``, ``2026-01-01``, ``!!binary``) are problems.
Anchors, aliases and merge keys work within limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ennio.model.errors import Problem

Where = tuple[str | int, ...]
"""A place in a document: keys and indices from the root."""

MOST_BYTES = 1024 * 1024
MOST_VALUES = 20_000
DEEPEST = 40
_TAG = "tag:yaml.org,2002:"
_TRUE = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+][0-9]{1,2})?\Z")
# Documented without quotes, though no YAML: a text that ends in a colon. Only where
# nothing else can be meant.
_MEMORY = re.compile(r"^(database_url:[ \t]+)(sqlite::memory:)(?=[ \t\r]*(?:#.*)?$)", re.MULTILINE)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


def shown(where: Where) -> str:
    """A place as people write it: ``projects[0].repo``."""
    parts = []
    for step in where:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append(f".{step}" if _PLAIN_KEY.match(step) else f"[{step!r}]")
    return "".join(parts).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value stands: its line, from 1, and a scalar's own text."""

    line: int
    written: str | None = None


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A text that was read: its values, their places, and what was wrong with it.

    ``data`` is None when it could not be read at all.
    """

    data: Any = None
    places: Mapping[Where, Position] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, where: Where) -> int | None:
        """The line of a place, or of the nearest thing around it."""
        for length in range(len(where), -1, -1):
            if place := self.places.get(where[:length]):
                return place.line
        return None

    def written(self, where: Where) -> str | None:
        """A scalar as the author wrote it, before any variable was put in."""
        place = self.places.get(where)
        return place.written if place else None


def read(raw: bytes) -> YamlDocument:
    """Read one YAML document; never raises, whatever the bytes are."""
    try:
        root = _root(raw, MOST_BYTES)
        return (
            _Walk().document(root)
            if root is not None
            else _hopeless("is empty: `ennio init` writes a configuration to start from")
        )
    except _UnreadableError as error:
        return _hopeless(str(error), error.line)


def _hopeless(message: str, line: int | None = None) -> YamlDocument:
    return YamlDocument(problems=(Problem("", f"the file {message}", line),))


def plain(raw: bytes, most: int) -> Any:
    """A YAML text that is no configuration (front matter, a story) as values, within the same
    limits and ``most`` bytes.

    What YAML 1.1 reads in its own way (dates, octal numbers) is the text that stands there. Raises
    ValueError with everything that is wrong and its lines.
    """
    walk = _Walk(strict=False)
    try:
        root = _root(raw, most)
        found = None if root is None else walk.value(root, ())
    except _UnreadableError as error:
        raise ValueError(
            f"the text {error}" + (f" (line {error.line})" if error.line else "")
        ) from None
    if walk.problems:
        raise ValueError("; ".join(map(str, walk.problems)))
    return found


class _UnreadableError(Exception):
    """The text cannot be taken for values at all; said of it, with the line where that shows."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def _root(raw: bytes, most: int) -> yaml.Node | None:
    if len(raw) > most:
        raise _UnreadableError(f"is larger than {most // 1024} KiB")
    try:
        return _compose(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _UnreadableError(
            "is not UTF-8 text: save it as UTF-8", raw.count(b"\n", 0, error.start) + 1
        ) from None
    except yaml.YAMLError as error:
        raise _UnreadableError(_explained(error), _line(error, raw)) from None
    except (ValueError, OverflowError):
        # an escape such as "\UFFFFFFFF" names no character; the parser lets chr() complain
        raise _UnreadableError("holds an escape that names no character") from None


class _TooDeepError(yaml.MarkedYAMLError):
    """Nested deeper than any configuration."""


class _Loader(yaml.SafeLoader):
    """Composes nodes, but not to any depth nor in any number: recursion has an end, and
    so has the time it takes.
    """

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.nodes += 1
        if self.nodes > 2 * MOST_VALUES:  # of a mapping the keys are nodes, too
            raise _UnreadableError(f"has more than {MOST_VALUES} values")
        self.depth += 1
        if self.depth > DEEPEST:
            raise _TooDeepError(
                problem=f"nested deeper than {DEEPEST} levels",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(_MEMORY.sub(r'\1"\2"', text))
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _line(error: yaml.YAMLError, raw: bytes) -> int | None:
    if isinstance(error, yaml.reader.ReaderError):
        return raw.decode("utf-8-sig").count("\n", 0, error.position) + 1
    mark = (
        error.problem_mark or error.context_mark
        if isinstance(error, yaml.MarkedYAMLError)
        else None
    )
    return mark.line + 1 if mark else None


def _explained(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"holds a control character ({chr(int(error.character))!a}): remove it"
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"is not YAML: {error}"
    problem = str(error.problem or error.context or "not understood")
    if "'\\t'" in problem:
        return "is not YAML here: a tab cannot indent, use spaces"
    if "another document" in problem:
        return "holds a second document (`---`): there can be only one"
    if "undefined alias" in problem:
        return f"is not YAML here: {problem}; a value that starts with * must be in quotes"
    return f"is not YAML here: {problem}"


class _Walk:
    """Turns nodes into values and remembers their places."""

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.places: dict[Where, Position] = {}
        self.problems: list[Problem] = []
        self.values = 0

    def document(self, root: yaml.Node) -> YamlDocument:
        data = self.value(root, ())
        if not isinstance(data, dict) and not self.problems:
            message = "the file is not a mapping: it should start with a key such as `projects:`"
            self.problems.append(Problem("", message, self.places[()].line))
        return YamlDocument(data, self.places, tuple(self.problems))

    def value(self, node: yaml.Node, where: Where) -> Any:
        self.values += 1
        self.limit(where)
        scalar = isinstance(node, yaml.ScalarNode)
        self.places[where] = Position(node.start_mark.line + 1, node.value if scalar else None)
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return self.mapping(node, where)
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [
                    self.value(child, (*where, index)) for index, child in enumerate(node.value)
                ]
            case yaml.ScalarNode():
                return self.scalar(node, where)
        return self.fault(
            where,
            f"has the YAML tag {node.tag.removeprefix(_TAG)}, which is not supported: remove it",
        )

    def limit(self, where: Where) -> None:
        if self.values > MOST_VALUES or len(where) > DEEPEST:
            raise _UnreadableError(
                f"has aliases that refer to themselves or multiply into more than {MOST_VALUES} "
                "values"
            )

    def mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, child in node.value:
            if key.tag == f"{_TAG}merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.fault(
                    where,
                    "has a list or mapping as a key: a key is a word; text with braces must be in "
                    "quotes",
                )
            elif key.value in found:
                self.fault(
                    (*where, key.value),
                    f"is a duplicate: it stands on line {self.places[*where, key.value].line} "
                    "already",
                    key,
                )
            else:
                found[key.value] = self.value(child, (*where, key.value))
        for source in self.merged(node, where):
            self.values += len(source.value)
            for key, child in source.value:
                if (
                    isinstance(key, yaml.ScalarNode)
                    and key.tag != f"{_TAG}merge"
                    and key.value not in found
                ):
                    found[key.value] = self.value(child, (*where, key.value))
        return found

    def merged(self, node: yaml.MappingNode, where: Where) -> Iterator[yaml.MappingNode]:
        """The mappings that ``<<`` brings in, nearest first, each before
        those it brings in itself.
        """
        self.values += 1
        self.limit(where)
        for key, child in node.value:
            if key.tag != f"{_TAG}merge":
                continue
            for source in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                if isinstance(source, yaml.MappingNode):
                    yield source
                    yield from self.merged(source, (*where, "<<"))
                else:
                    self.fault(where, "has a `<<` that brings in no mapping", key)

    def scalar(self, node: yaml.ScalarNode, where: Where) -> Any:
        text, kind = node.value, node.tag.removeprefix(_TAG)
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            return self.fault(where, "holds half a character (a lone surrogate)")
        if kind in ("str", "merge", "value"):
            return text
        read = _READ[kind](text) if kind in _READ else _SURPRISE
        if read is _SURPRISE:
            if not self.strict and kind in ("int", "float", "timestamp"):
                return text
            return self.fault(
                where,
                _SURPRISES.get(
                    kind,
                    f"has the YAML tag {kind}, which is not supported: remove it or use quotes",
                ),
            )
        return read

    def fault(self, where: Where, message: str, node: yaml.Node | None = None) -> None:
        line = node.start_mark.line + 1 if node else self.places[where].line
        self.problems.append(Problem(shown(where), message, line))


_SURPRISE = object()
_READ: Mapping[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": lambda text: _TRUE.get(text.lower(), _SURPRISE),
    "int": lambda text: int(text) if _INTEGER.match(text) else _SURPRISE,
    "float": lambda text: float(text) if _FLOAT.match(text) else _SURPRISE,
}
_SURPRISES = {
    "int": "is a number YAML reads in its own way (octal, hexadecimal, minutes or too long): write "
    "a plain decimal, or quotes for a text",
    "float": "is a number YAML reads in its own way: write a plain decimal, or quotes for a text",
    "timestamp": "is a date to YAML: write it in quotes",
    "binary": "is binary data: a configuration holds text",
}
