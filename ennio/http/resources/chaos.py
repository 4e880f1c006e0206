"""Faults on order, for the demo and for tests: there only when ``ENNIO_CHAOS=1`` is set."""

from __future__ import annotations

import os
from collections.abc import Mapping

import falcon

from ennio.actors.orchestrator import Orchestrator
from ennio.http.envelope import answer
from ennio.http.fields import RequestField, TextField
from ennio.http.requests import read_body

CRASH: Mapping[str, RequestField] = {"actor": TextField(required=True)}


class ChaosResource:
    """One actor of the house is made to end with an error."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def on_post_crash(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Crash it; its supervisor starts it again."""
        self._orchestrator.supervisor.crash(read_body(req, CRASH)["actor"])
        answer(resp, "crashed")


def routes(orchestrator: Orchestrator, api: str) -> list[tuple[str, object, str | None]]:
    """The chaos endpoint, or none."""
    if os.environ.get("ENNIO_CHAOS") != "1":
        return []
    return [(f"{api}/chaos/crash", ChaosResource(orchestrator), "crash")]
