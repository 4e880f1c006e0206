"""A file of host keys as OpenSSH keeps it: who is known by which key, on which line."""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ennio.machine import untrusted

_MOST = 16 << 20
_REVOKED = "@revoked"
_HASHED = "|1|"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line that speaks of the host that was asked for."""

    file: Path
    line: int
    kind: str
    key: str
    revoked: bool = False


def host_name(host: str, port: int) -> str:
    """How such a file calls a host."""
    return host if port == 22 else f"[{host}]:{port}"


def one_file(path: Path) -> str:
    """A path as ssh reads it where several may stand: it parts them at white space."""
    text = str(path)
    return f'"{text}"' if any(letter.isspace() for letter in text) else text


def known_keys(file: Path, name: str) -> tuple[KnownKey, ...]:
    """What a file knows of a host; nothing where there is none. Raises OSError, ValueError."""
    try:
        text = untrusted.content(file, _MOST).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return tuple(_told(file, text, name.lower()))


def _told(file: Path, text: str, name: str) -> Iterator[KnownKey]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in {"", _REVOKED}:
            continue  # an authority that signs keys is none that we can ask
        if _is_meant(words[0], name):
            yield KnownKey(file, number, words[1], words[2], marker == _REVOKED)


def _is_meant(patterns: str, name: str) -> bool:
    if patterns.startswith(_HASHED):
        return _is_hash_of(patterns, name)
    meant = False
    for pattern in patterns.lower().split(","):
        if fnmatch.fnmatchcase(name, _globbed(pattern.removeprefix("!"))):
            if pattern.startswith("!"):
                return False
            meant = True
    return meant


def _globbed(pattern: str) -> str:
    """A pattern for ``fnmatch``, to which brackets mean something else."""
    return pattern.replace("[", "[[]")


def _is_hash_of(entry: str, name: str) -> bool:
    with contextlib.suppress(ValueError):
        salt, digest = (base64.b64decode(part, validate=True) for part in entry[3:].split("|"))
        return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
    return False


def is_hashed(file: Path) -> bool:
    """Whether the hosts of a file are hashed, so that a new one is to be, too."""
    with contextlib.suppress(OSError, ValueError):
        return untrusted.content(file, _MOST).lstrip().startswith(_HASHED.encode())
    return False


def add(file: Path, name: str, kind: str, key: str, *, hashed: bool) -> None:
    """Know a host from now on. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = f"{_hash(name) if hashed else name} {kind} {key}\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags, 0o600), "r+b", buffering=0) as open_:
        size = open_.seek(0, os.SEEK_END)
        ends = size == 0 or os.pread(open_.fileno(), 1, size - 1) == b"\n"
        open_.write((line if ends else f"\n{line}").encode())


def _hash(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.digest(salt, name.lower().encode(), "sha1")
    return f"{_HASHED}{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def fingerprint(key: str) -> str:
    """A key as OpenSSH shows it to people."""
    digest = hashlib.sha256(base64.b64decode(key)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
