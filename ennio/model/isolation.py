"""How far what an agent runs is kept apart from the machine it runs on."""

from __future__ import annotations

from enum import StrEnum


class IsolationKind(StrEnum):
    """What keeps a session apart."""

    NONE = "none"
    BUBBLEWRAP = "bubblewrap"


class NetworkAccess(StrEnum):
    """What of the network is there in a sandbox."""

    HOST = "host"  # the machine's own, all that listens on it included
    LOOPBACK = "loopback"  # one of its own, with nothing but itself
    NONE = "none"  # no address of any kind
