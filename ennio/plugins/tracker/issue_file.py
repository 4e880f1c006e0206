"""An issue as a Markdown file. Pure.

Front matter (``title``, ``labels``, ``state``; optional) comes first, then the title as a heading,
the body, and each comment as a section ``## Comment, <time>`` at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from ennio.config.yaml_source import plain
from ennio.model.clock import rfc3339

OVER = ("closed", "done")
LARGEST = 1024 * 1024
_FRONT_MATTER = 16 * 1024
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"^## Comment, \d{4}-\d\d-\d\dT[\d:.+-]+[ \t]*\n", re.MULTILINE)
_HEADING = re.compile(r"#{1,6}[ \t]+(?=\S)")
_STATE = re.compile(r"^state[ \t]*:.*\n?", re.MULTILINE)
_FILE_ID = re.compile(r"(\d+|[A-Za-z]+-\d+)(?:-.*)?\Z")


@dataclass(frozen=True, slots=True)
class Written:
    """What an issue's file says."""

    title: str
    body: str
    state: str
    labels: tuple[str, ...]
    comments: tuple[str, ...]


def id_of(stem: str) -> str:
    """The issue a file name (without ``.md``) stands for: ``42-slug`` is 42, ``ENG-7-slug``
    is ENG-7, else all of it.
    """
    match = _FILE_ID.match(stem)
    return match[1] if match else stem


def read(text: str, fallback: str) -> Written:
    """Understand a file's text. Raises ValueError saying what is wrong with its front matter."""
    front, rest = _split(text)
    body, *comments = _COMMENT.split(rest)
    title, body = _titled(front.get("title"), body)
    state = str(front.get("state") or "open").lower()
    state = "closed" if state in OVER else "open"
    return Written(
        title or fallback, body.strip(), state, _labels(front.get("labels")), _stripped(comments)
    )


def with_comment(text: str, comment: str, at: datetime) -> str:
    """The text with one more section at its end; headings in the comment cannot
    pass for another section.
    """
    words = _COMMENT.sub(lambda match: f"\\{match[0]}", comment.strip())
    return f"{text.rstrip()}\n\n## Comment, {rfc3339(at)}\n\n{words}\n"


def closed(text: str) -> str:
    """The text with ``state: closed`` in its front matter, everything else as it was."""
    match = _FRONT.match(text)
    if match is None:
        return f"---\nstate: closed\n---\n{text}"
    front = _STATE.sub("", match[1]) + "state: closed\n"
    return f"---\n{front}---\n{text[match.end() :]}"


def written(title: str, body: str, labels: tuple[str, ...]) -> str:
    """The text of a new issue."""
    front = (
        f"---\n{yaml.safe_dump({'labels': list(labels)}, allow_unicode=True)}---\n"
        if labels
        else ""
    )
    return f"{front}# {title}\n\n{body.strip()}\n"


def _split(text: str) -> tuple[Mapping[str, Any], str]:
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    try:
        front = plain(match[1].encode(), _FRONT_MATTER)
    except ValueError as error:
        raise ValueError(f"its front matter cannot be understood: {error}") from error
    if front is not None and not isinstance(front, dict):
        raise ValueError("its front matter is not a list of key: value lines")
    return front or {}, text[match.end() :]


def _titled(given: object, body: str) -> tuple[str, str]:
    """The title and what is left of the body: as given, else the first
    heading, else the first line.
    """
    if given is not None:
        return str(given), body
    lines = body.strip().split("\n")
    at = next((index for index in _outside_code(lines) if _HEADING.match(lines[index])), 0)
    heading = _HEADING.match(lines[at])
    title = lines[at][heading.end() :].rstrip(" \t#") if heading else ""
    return title or lines[at].strip(), "\n".join(lines[:at] + lines[at + 1 :])


def _outside_code(lines: Sequence[str]) -> Iterator[int]:
    """The lines that stand in no fenced code, where a # begins no heading."""
    fenced = False
    for index, line in enumerate(lines):
        fence = line.lstrip().startswith(("```", "~~~"))
        fenced = fenced != fence
        if not fenced and not fence:
            yield index


def _labels(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return _stripped(value.split(","))
    return tuple(str(label) for label in value) if isinstance(value, list) else ()


def _stripped(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts if text.strip())
