"""How the daemon is to run: its command line and its environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ennio import __version__
from ennio.machine.home import Home
from ennio.model.errors import Refused

PORT, IDLE_TIMEOUT = 9100, 3600
VARIABLE = "ENNIO_NODE_AUTH_TOKEN"
_SHORTEST = 8  # characters of a token; what is shorter is guessed
_TOLD = """\
Every call needs the token, as `authorization: Bearer <token>`. It is that of --auth-token-file, else of
--auth-token, else of ENNIO_NODE_AUTH_TOKEN; with none of them it is made once, in node/token below the root.
It listens on 127.0.0.1 alone: from elsewhere it is reached through ssh.

Exit codes: 0 it was told to end, or nobody needed it; 1 it could not begin, or another one has its root; 2 usage."""  # noqa: E501


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """``token`` None: one is to be found or made; ``open``: nobody is asked for one.

    ``told`` is what whoever started it should know. ``idle`` in seconds; 0: it never ends
    by itself.
    """

    root: Path
    port: int = PORT
    idle: float = IDLE_TIMEOUT
    token: str | None = field(default=None, repr=False)
    open: bool = False
    told: tuple[str, ...] = ()


def read(words: Sequence[str], environ: Mapping[str, str]) -> NodeOptions:
    """The options of a command line. Raises SystemExit for one that is wrong, Refused."""
    parser = _parser()
    given = parser.parse_args(words)
    named = given.auth_token_file is not None or given.auth_token is not None
    if given.no_auth and named:
        parser.error("--no-auth goes with no token")
    told = []
    if given.auth_token is not None:
        told.append(
            "--auth-token: every user of this machine can read it in the list of processes; "
            f"use --auth-token-file, or {VARIABLE}"
        )
    if given.no_auth:
        told.append("--no-auth: every user of this machine can run programs as this one")
    return NodeOptions(
        root=_root(given.workspace_root),
        port=given.port,
        idle=given.idle_timeout,
        token=None if given.no_auth else _token(given, environ),
        open=given.no_auth,
        told=tuple(told),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "ennio-node",
        description="The daemon on a machine where agents work; Ennio speaks to it over ssh.",
        epilog=_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"ennio-node {__version__}")
    add(
        "--port",
        type=_number("port", 65535),
        default=PORT,
        metavar="PORT",
        help=f"gRPC listen port (default {PORT}; 0: a free one)",
    )
    add(
        "--idle-timeout",
        type=_number("idle timeout", 10**9),
        default=IDLE_TIMEOUT,
        metavar="SECONDS",
        help=f"end after so long without a call (default {IDLE_TIMEOUT}; 0: never), "
        "while no session lives",
    )
    add(
        "--workspace-root",
        metavar="PATH",
        help="the folder below which all workspaces lie (default: $ENNIO_HOME, else ~/.ennio)",
    )
    add("--auth-token", metavar="TOKEN", help="the token; every user can see it: see below")
    add("--auth-token-file", metavar="PATH", help="a file of mode 0600 that holds the token")
    add("--no-auth", action="store_true", help="ask for no token: any user here can do anything")
    return parser


def _number(name: str, most: int) -> Callable[[str], int]:
    def read_number(text: str) -> int:
        if not text.isdecimal() or int(text) > most:
            raise argparse.ArgumentTypeError(f"the {name} is a whole number from 0 to {most}")
        return int(text)

    return read_number


def _root(named: str | None) -> Path:
    """By its real path: agents know their folder by that."""
    if named is None:
        return Home.of_environment().root
    path = os.path.expanduser(named)
    if not named or "\0" in named or path.startswith("~"):
        raise Refused(f"--workspace-root: {named!r} is no folder")
    return Path(os.path.realpath(path))


def _token(given: argparse.Namespace, environ: Mapping[str, str]) -> str | None:
    if given.auth_token_file is not None:
        return _checked(_of_file(Path(given.auth_token_file)), "--auth-token-file")
    if given.auth_token is not None:
        return _checked(given.auth_token, "--auth-token")
    told = environ.get(VARIABLE)
    return None if told is None else _checked(told, VARIABLE)


def _of_file(path: Path) -> str:
    try:
        state, text = path.stat(), path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Refused(f"--auth-token-file {path}: {error}") from error
    if state.st_mode & 0o077:
        raise Refused(f"--auth-token-file {path}: others can read it: chmod 600 {path}")
    return text.strip()


def _checked(token: str, where: str) -> str:
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise Refused(
            f"{where}: a token is {_SHORTEST} or more letters, digits and signs without blanks"
        )
    return token
