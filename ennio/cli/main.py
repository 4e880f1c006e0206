"""The way through every call: understand, run, print, and turn what went wrong into words and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from ennio.cli.answer import Answer
from ennio.cli.context import Context
from ennio.cli.parser import Usage, understand
from ennio.errors import ConfigError, EnnioError

INTERRUPTED = 130
CLOSED_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 failed, 2 usage, 3 not found, 4 no supervisor, 5 refused."""
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what an agent shows may not fit the locale
    try:
        return _guarded(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # the reader is gone: the interpreter must not try to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
        return _fail(words, error, 1)
    return code


def _call(words: Sequence[str]) -> int:
    call = understand(words)
    context = Context.of_terminal(json=call.json, config=call.config)
    answer = call.run(call.options, context)
    _print(answer, as_json=call.json)
    return answer.code


def _print(answer: Answer, *, as_json: bool) -> None:
    for note in answer.notes:
        print(note, file=sys.stderr)
    if answer.spoken:
        return
    if as_json:
        print(dump(answer.document))
    elif answer.lines:
        print("\n".join(answer.lines))


def dump(document: Any, indent: int | None = 2) -> str:
    """The document as JSON text."""
    import json

    return json.dumps(document, indent=indent, ensure_ascii=False)


def _fail(words: Sequence[str], error: Exception, code: int) -> int:
    usage = error.usage if isinstance(error, Usage) else ""
    if "--json" in words[: words.index("--")] if "--" in words else "--json" in words:
        print(dump(_document(error, code)), flush=True)
    else:
        print(f"ennio: {error}", *([usage] if usage else []), sep="\n", file=sys.stderr)
    return code


def _document(error: Exception, code: int) -> dict[str, Any]:
    document: dict[str, Any] = {"error": str(error), "code": code}
    if isinstance(error, ConfigError):
        document["problems"] = [{"path": p.path, "line": p.line, "message": p.message} for p in error.problems]
    return document
