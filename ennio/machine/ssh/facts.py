"""What a machine over there is like, asked once: whose it is, and which tools it has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ennio.machine.ssh.pool import ShellPool
from ennio.model.errors import Unreachable

_MARK = b"=ennio="
_QUESTION = rb"""
ennio_h=${HOME:-}; [ -n "$ennio_h" ] || ennio_h=$(cd && pwd)
printf '%s\0' "$ennio_h" "$(id -u)" "$(uname -s)"
ennio_y() { if "$@" >/dev/null 2>&1; then printf 'y\0'; else printf 'n\0'; fi; }
ennio_y command -v setsid
ennio_y command -v perl
ennio_y command -v flock
ennio_w=$( { sh -c 'kill -9 $$'; } 2>&1 ); [ -n "$ennio_w" ] && printf 'y\0' || printf 'n\0'
[ -r /proc/self/stat ] && printf 'y\0' || printf 'n\0'
printf '%s\0' "$(stat -c %.9Y / 2>/dev/null)"
printf '%s\0' "$(printf abcd | dd iflag=skip_bytes,count_bytes skip=1 count=2 bs=64 status=none \
 2>/dev/null)"
printf '%s\0' "$(mv --help 2>&1 | grep -c -e -T)"
[ -d /dev/shm ] && [ -w /dev/shm ] && printf '/dev/shm\0' || printf '%s\0' "${TMPDIR:-/tmp}"
printf '=ennio='
if env -0 >/dev/null 2>&1; then env -0; else env; fi
"""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """See the module. ``stat``, ``dd``, ``move`` and ``own`` are how the tools over
    there are called; ``memory`` is a folder that lies on no disk where there is one.
    ``tells``: the shell says so when a program was ended by a signal.
    """

    home: Path
    user: int
    system: str
    environ: Mapping[str, str]
    has_proc: bool
    has_perl: bool
    has_flock: bool
    stat: bytes
    dd: bytes
    move: bytes
    own: bytes
    memory: str
    tells: bool


def ask(pool: ShellPool) -> MachineFacts:
    """Raises Unreachable."""
    answer = pool.ask(_QUESTION)
    told, mark, env = bytes(answer.out).partition(_MARK)
    words = [os.fsdecode(word) for word in told.split(b"\0")[:-1]]
    if not mark or len(words) != 12 or not words[1].isdigit():
        said = bytes(answer.err or answer.out)[-400:].decode(errors="replace").strip()
        raise Unreachable(f"{pool.target.name}: its shell does not answer as sh does: {said}")
    return _read(words, env)


def _read(words: list[str], env: bytes) -> MachineFacts:
    home, user, system, setsid, perl, flock, tells, proc, stat, dd, move, memory = words
    return MachineFacts(
        home=Path(home if home.startswith("/") else "/"),
        user=int(user),
        system=system,
        environ=_environ(env),
        has_proc=proc == "y",
        has_perl=perl == "y",
        has_flock=flock == "y",
        stat=_stat(stat, system),
        dd=b"block" if dd == "bc" else b"",
        move=b"mv -fT --" if move != "0" else b"mv -f --",
        own=_own(setsid == "y", perl == "y"),
        memory=memory,
        tells=tells == "y",
    )


def _stat(said: str, system: str) -> bytes:
    if said.replace(".", "", 1).isdigit() and "." in said:
        return b"LC_ALL=C stat -c '%f %d %i %s %.9Y %a %u'"
    if system in {"Darwin", "FreeBSD", "OpenBSD", "NetBSD"}:
        return b"LC_ALL=C stat -f '%Xp %d %i %z %Fm %OLp %u'"
    return b"LC_ALL=C stat -c '%f %d %i %s %Y %a %u'"


def _own(setsid: bool, perl: bool) -> bytes:
    """What gives a program a kernel session of its own."""
    if setsid:
        return b"setsid"
    if perl:
        return b"perl -e 'use POSIX; POSIX::setsid(); exec {$ARGV[0]} @ARGV; exit 127'"
    return b"env"


def _environ(raw: bytes) -> Mapping[str, str]:
    lines = raw.split(b"\0") if b"\0" in raw else raw.split(b"\n")
    pairs = (os.fsdecode(line).partition("=") for line in lines if b"=" in line)
    return {name: value for name, _, value in pairs if name != "_"}
