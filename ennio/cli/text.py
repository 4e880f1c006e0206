"""Words a person gives on the command line, on standard input or in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from ennio.machine import untrusted
from ennio.model.errors import Invalid

_MOST_BYTES = 1024 * 1024  # no request carries more


def text_of(given: str, *, files: bool = False) -> str:
    """The words meant: ``-`` is standard input, ``@file`` (with ``files``) what the
    file holds. Raises Invalid.
    """
    if given == "-":
        text = _decoded(_within(sys.stdin.buffer, "standard input"), "standard input")
    elif files and given.startswith("@"):
        text = _decoded(_bytes(given[1:]), given[1:])
    else:
        text = given
    if not text.strip():
        raise Invalid("the text is empty")
    return text


def _bytes(name: str) -> bytes:
    try:
        with untrusted.given(Path(name)) as stream:
            return _within(stream, name)
    except OSError as error:
        raise Invalid(
            f"cannot read {name}: {error.strerror}; a text that begins with @ can be given on "
            "standard input: -p -"
        ) from error


def _within(stream: BinaryIO, source: str) -> bytes:
    content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise Invalid(
            f"{source} holds more than {_MOST_BYTES // 1024} KiB: give less, or name a file that "
            "the agent can read"
        )
    return content


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{source} is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error
