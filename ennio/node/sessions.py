"""The sessions that live on a node's machine, whoever began them."""

from __future__ import annotations

from dataclasses import dataclass

from ennio.hosts.interface import Host
from ennio.model.errors import EnnioError, Refused

RUNTIMES = ("tmux", "process")


@dataclass(frozen=True, slots=True)
class LivingSessions:
    """How many live; ``known`` False: at least so many, not all runtimes could be asked."""

    number: int
    known: bool = True


def living(host: Host) -> LivingSessions:
    """Those whose agents run; starts nothing where nothing runs."""
    number, known = 0, True
    for runtime in RUNTIMES:
        try:
            handles = host.terminals(runtime).values()
        except Refused:
            continue  # it is not installed here
        except EnnioError:
            known = False
            continue
        number += sum(1 for handle in handles if handle.data.get("started"))
    return LivingSessions(number, known)
