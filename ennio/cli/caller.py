"""Who calls: the person at the terminal, or the session in whose terminal the command runs."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress

from ennio.model.errors import Refused


def session() -> str | None:
    """The session whose agent calls, or None: agents, their tools and hooks have
    it in their environment.
    """
    return os.environ.get("ENNIO_SESSION_ID") or None


def insist_on_person(act: str) -> None:
    """Raise Refused in a session: what is said about all of them, or about
    another, is for a person to say.
    """
    if session() is not None:
        raise Refused(
            f"agents do not {act}: a person does (ENNIO_SESSION_ID is set, so this is an agent's "
            "terminal)"
        )


def name() -> str:
    """The caller in words, as far as it is known; an account without an
    entry is named by its number.
    """
    mine = session()
    if mine is not None:
        return f"session {mine}"
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return f"user {os.getuid()}"
