"""The daemon of terminals as earlier versions had it, by what it understands: ``python older_ptyd.py
KNOWN keep DIRECTORY IDLE``, where KNOWN is the number of its protocol.
"""

import sys

from ennio.plugins.runtime.ptyd import daemon

NEWER = {"follow": 2}
"""Requests that came later, with the protocol that has them."""

TELLING = ("protocol", "version")
KNOWN = int(sys.argv[1])
_answer = daemon.PtyDaemon._answer
_waits = daemon.PtyDaemon._waits


def _unknown(request: dict[str, object]) -> bool:
    return NEWER.get(str(request.get("op")), 1) > KNOWN


def answer(self, client, request, payload):  # type: ignore[no-untyped-def]
    """What it did not know it took for one of a terminal, and answered so."""
    if _unknown(request):
        there = str(request.get("name")) in self._processes
        return {"error": "unknown" if there else "not_found"}, b""
    told, data = _answer(self, client, request, payload)
    return {name: value for name, value in told.items() if name not in TELLING}, data


def waits(self, client, request, payload):  # type: ignore[no-untyped-def]
    return not _unknown(request) and _waits(self, client, request, payload)


if __name__ == "__main__":
    daemon.PtyDaemon._answer = answer  # type: ignore[method-assign]
    daemon.PtyDaemon._waits = waits  # type: ignore[method-assign]
    sys.exit(daemon.main(*sys.argv[3:]))
