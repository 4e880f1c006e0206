"""The way through every call: understand, run, print, and turn what went wrong
into words and an exit code.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

from ennio.board import printing
from ennio.cli.command_result import INTERRUPTED, CommandResult
from ennio.cli.context import CliContext
from ennio.cli.parser import Call, UsageError, understand
from ennio.model.errors import ConfigError, EnnioError, NotFound, Unauthorized
from ennio.model.printable import json_text

CLOSED_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 failed, 2 usage, 3 not found, 4
    no supervisor, 5 refused.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    printing.begin()
    try:
        return _guarded(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        printing.abandon()
        return CLOSED_PIPE


def _guarded(words: Sequence[str]) -> int:
    try:
        code = _call(words)
        sys.stdout.flush()
    except EnnioError as error:
        return _fail(words, error, error.exit_code)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _fail(words, EnnioError(_said(error)), 1)
    return code


def _said(error: OSError) -> str:
    """What the machine refused, where, and for what of it there is a way out."""
    from ennio.machine.closed_place import way_after

    what = (error.strerror or str(error)).lower()
    place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    way = {
        errno.EROFS: "; the disk it lies on is read-only: name another folder (Ennio's own is "
        "set by "
        "ENNIO_HOME)",
        errno.ENOSPC: "; the disk it lies on is full: free some space and try again",
    }
    command = way_after(error)
    opened = f"; it is opened by: {command}" if command else ""
    return f"{place}{what}{way.get(error.errno or 0, '')}{opened}"


def _call(words: Sequence[str]) -> int:
    call = understand(words)
    context = CliContext.of_terminal(json=call.json, config=call.config)
    answer = _answered(call, context)
    _print(answer, as_json=call.json)
    if context.old:
        context.note(f"as last known: the database is away since {context.old[0]}")
    return INTERRUPTED if context.interrupt.came else answer.code


def _answered(call: Call, context: CliContext) -> CommandResult:
    """What the verb answers. It is the command that sends the token, so a wrong
    one is told as its affair.
    """
    try:
        return _of_session(call, context)
    except Unauthorized as error:
        raise context.distrusted(error) from error


def _of_session(call: Call, context: CliContext) -> CommandResult:
    """A session may be named by how its id begins, and one that is not there by a mistake."""
    word = getattr(call.options, "session", None)
    if not word:
        return call.run(call.options, context)
    from ennio.cli.session_name import suggested, whole_id

    call.options.session = whole_id(word, context.client())
    try:
        return call.run(call.options, context)
    except NotFound as error:
        raise suggested(error, call.options.session, context.client()) from error


def _print(answer: CommandResult, *, as_json: bool) -> None:
    for note in answer.notes:
        printing.note(note)
    if answer.spoken:
        return
    if as_json:
        printing.out(dump(answer.document))
    elif answer.lines:
        printing.out("\n".join(answer.lines))


def dump(document: Any, indent: int | None = 2) -> str:
    """The document as JSON text."""
    import json

    return json_text(json.dumps(document, indent=indent, ensure_ascii=False))


def _fail(words: Sequence[str], error: Exception, code: int) -> int:
    usage = error.usage if isinstance(error, UsageError) else ""
    as_json = "--json" in (words[: words.index("--")] if "--" in words else words)
    if as_json and not isinstance(error, printing.OutputError):
        printing.out(dump(_document(error, code)))
    else:
        printing.note("\n".join([f"ennio: {error}", *([usage] if usage else [])]))
    return code


def _document(error: Exception, code: int) -> dict[str, Any]:
    document: dict[str, Any] = {"error": str(error), "code": code}
    if isinstance(error, ConfigError):
        document["problems"] = [
            {"path": p.path, "line": p.line, "message": p.message} for p in error.problems
        ]
    return document
