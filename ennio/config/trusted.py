"""What a person has trusted: for each configuration file, digests of what it may run
and whom it may talk to.

    ENNIO_HOME/trust/<name>-<hash>.json   0600; the file's real path, a salt, a digest for each
                                          demand

``ENNIO_TRUSTED_CONFIG_PATHS`` names files and folders, as ``PATH`` does, whose files are trusted as
they come: for containers and tests, where nobody can be asked. A file cannot set it, for it counts
before the file is read; in a session, where an agent is, it counts nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ennio.config import ownership
from ennio.config.database import file as database_file
from ennio.config.model import Config, Demand
from ennio.machine.files import write_atomically
from ennio.machine.home import Home, private
from ennio.model.errors import Refused, Untrusted
from ennio.model.printable import one_line

VARIABLE = "ENNIO_TRUSTED_CONFIG_PATHS"
_SESSION = "ENNIO_SESSION_ID"
_SHOWN = 3
_MOST_WORDS = 200  # characters of one demand


@dataclass(frozen=True, slots=True)
class TrustRecord:
    """What was trusted of one file."""

    file: str
    salt: str = ""
    fingerprints: frozenset[str] = frozenset()

    def holds(self, demand: Demand) -> bool:
        """Whether this very demand was trusted."""
        return _fingerprint(self.salt, demand) in self.fingerprints


def unknown(config: Config, home: Home, environ: Mapping[str, str]) -> tuple[Demand, ...]:
    """The demands of a configuration that nobody has trusted; none when all were."""
    if not environ.get(_SESSION) and _named(config.source, environ.get(VARIABLE, "")):
        return ()
    record = _recorded(config.source, home)
    return tuple(demand for demand in config.demands if not record.holds(demand))


def known(file: Path, home: Home) -> bool:
    """Whether anything of a file was ever trusted."""
    return bool(_recorded(file, home).fingerprints)


def files(home: Home) -> tuple[str, ...]:
    """The configuration files that were ever trusted, by their real paths, there or not."""
    places = sorted((home.root / "trust").glob("*.json"))
    return tuple(record.file for record in map(_record, places) if record.file)


def insist(config: Config, home: Home, environ: Mapping[str, str]) -> None:
    """Raise Untrusted: with the command that trusts when there is anything nobody has trusted,
    or for another's database.
    """
    new = unknown(config, home, environ)
    if new:
        raise Untrusted(refusal(config.source, new))
    insist_on_database(config)


def insist_on_database(config: Config) -> None:
    """Raise Untrusted for a database that another account could have
    written, or could put there.
    """
    file = database_file(config.database_url)
    trouble = ownership.trouble(file) if file else ""
    if trouble:
        raise Untrusted(f"the database says what runs, and {trouble}")


def refusal(source: Path, new: Collection[Demand], verb: str = "start") -> str:
    """Why a file is not used, and how a person says that it may be; ``verb`` takes ``--trust``."""
    told = "; ".join(f"{demand.kind} {brief(demand)}" for demand in list(new)[:_SHOWN])
    more = f"; and {len(new) - _SHOWN} more" if len(new) > _SHOWN else ""
    return (
        f"{source} is not trusted: it would {told}{more}. Read it (all it would do: "
        f"{command(source)} --show), then: {command(source)}   (or ennio {verb} --trust)"
    )


def brief(demand: Demand) -> str:
    """Its place and words on one line. Words that are cut end with an ellipsis, so
    that none passes for a whole command.
    """
    words = one_line(", ".join(demand.words))
    shown = words if len(words) <= _MOST_WORDS else f"{words[: _MOST_WORDS - 1]}…"
    return f"{demand.place} ({shown})"


def command(source: Path) -> str:
    """The command that trusts a file."""
    return f"ennio config trust --config {shlex.quote(str(source))}"


def trust(config: Config, home: Home, environ: Mapping[str, str]) -> None:
    """Trust a configuration as it is now, and nothing of what it was before. Raises Refused
    inside of a session, OSError.
    """
    if environ.get(_SESSION):
        who = f"an agent cannot trust a configuration, and this is session {environ[_SESSION]}"
        raise Refused(
            f"{who}: a person does, in a terminal of their own, by: {command(config.source)}"
        )
    salt = secrets.token_hex(16)
    digests = sorted(_fingerprint(salt, demand) for demand in config.demands)
    place = _place(config.source, home)
    private(home.root)
    private(place.parent)
    write_atomically(
        place,
        json.dumps({"file": _real(config.source), "salt": salt, "digests": digests}),
        durable=True,
    )


def forget(source: Path, home: Home) -> bool:
    """Trust a file no more; False when it never was. Raises OSError."""
    place = _place(source, home)
    there = place.exists()
    place.unlink(missing_ok=True)
    return there


def _recorded(source: Path, home: Home) -> TrustRecord:
    """What was trusted of a file; nothing, when that cannot be read or could be another's words."""
    found = _record(_place(source, home))
    return found if found.file == _real(source) else TrustRecord("")


def _record(place: Path) -> TrustRecord:
    try:
        document = json.loads(place.read_text("utf-8")) if ownership.private(place) else {}
        return TrustRecord(
            str(document["file"]), str(document["salt"]), frozenset(map(str, document["digests"]))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return TrustRecord("")


def _place(source: Path, home: Home) -> Path:
    real = _real(source)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(real).parent.name).strip("-") or "root"
    return home.root / "trust" / f"{name}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:16]}.json"


def _real(source: Path) -> str:
    return os.path.realpath(source)


def _named(source: Path, paths: str) -> bool:
    """Whether the variable names the file or a folder around it; only whole paths count."""
    real = Path(_real(source))
    return any(
        real.is_relative_to(os.path.realpath(path))
        for path in paths.split(os.pathsep)
        if os.path.isabs(path)
    )


def _fingerprint(salt: str, demand: Demand) -> str:
    return hashlib.sha256(f"{salt}\0{demand.canonical}".encode()).hexdigest()
