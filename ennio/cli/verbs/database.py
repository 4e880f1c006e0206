"""The database: copy an SQLite file to a PostgreSQL server, whole or not at all."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any, cast

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.model.errors import EnnioError, Invalid, Refused
from ennio.model.plural import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio database copy --to postgresql://ennio@db.example/ennio
  ennio database copy --from sqlite:/srv/ennio.db --to 'postgresql://ennio@/ennio?host=/run/postgresql'
"""
_BY_CODE: dict[int, type[EnnioError]] = {2: Invalid, 5: Refused}


def configure(parser: Parser) -> None:
    """The sub-verb, and from where to where."""
    subs = parser.verbs(copy=(copy, "copy all of it to an empty PostgreSQL database"))
    subs["copy"].add_argument(
        "--to", required=True, metavar="URL", help="postgresql://user@host/database, empty"
    )
    subs["copy"].add_argument(
        "--from", dest="source", metavar="URL", help="sqlite:FILE (default: the configured one)"
    )


def copy(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Copy it, telling how far it is."""
    from ennio.config import database

    caller.insist_on_person("copy the database")
    source, target = _source(options, context), _target(options.to)
    copied: dict[str, int] = {}
    for told in _told({"source": source, "target": target}):
        if "error" in told:
            raise _BY_CODE.get(told["code"], EnnioError)(told["error"])
        if "copied" in told:
            copied = told["copied"]
        elif told["of"] and told["done"]:
            context.note(f"{told['table']}: {told['done']} of {told['of']}")
    rows, to = sum(copied.values()), database.shown(target)
    tables = sum(map(bool, copied.values()))
    document = {"from": source, "to": to, "rows": rows, "copied": copied}
    lines = [
        f"copied {number_of(rows, 'row')} of {number_of(tables, 'table')} to {to}",
        f"to go on there: database_url: {to}  in {context.config_file()}, then: ennio start",
    ]
    return CommandResult(document, lines)


def _source(options: argparse.Namespace, context: CliContext) -> str:
    from ennio.config.load import load
    from ennio.plugins import declared
    from ennio.plugins.shipped import known

    if options.source is not None:
        if not options.source.startswith("sqlite:"):
            raise Invalid("--from: names no file of SQLite: write sqlite:FILE")
        return _resolved("--from", options.source)
    file = context.config_file()
    return load(file, os.environ, known(), declared=declared.shipped).database_url


def _target(url: str) -> str:
    """The address of the server. Raises Invalid for another one, and for one with a password."""
    from ennio.config import database

    if not database.served(url):
        raise Invalid("--to: names no server: write postgresql://user@host/database")
    target = _resolved("--to", url)
    if database.has_password(target):
        raise Invalid(
            "--to: holds a password, and everybody on this machine can read a command line: put "
            "it into ~/.pgpass or PGPASSWORD"
        )
    return target


def _resolved(option: str, url: str) -> str:
    from pathlib import Path

    from ennio.config import database

    try:
        return database.resolved(url, Path.cwd())
    except ValueError as error:
        raise Invalid(f"{option}: {error}") from None  # the address may hold a password


def _told(asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What the process that copies says, line by line; the command itself touches no database."""
    words = [sys.executable, "-m", "ennio.store.copying"]
    last: dict[str, Any] = {}
    with (
        tempfile.TemporaryFile("w+") as trouble,
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=trouble, text=True
        ) as process,
    ):
        given, said = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        given.write(json.dumps(asked))
        given.close()
        for line in said:
            last = json.loads(line)
            yield last
        if process.wait() and "error" not in last:
            trouble.seek(0)
            why = trouble.read().strip().rpartition("\n")[2] or f"code {process.returncode}"
            raise EnnioError(f"the copy broke off, and nothing of it is there: {why}")
