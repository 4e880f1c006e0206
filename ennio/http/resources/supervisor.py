"""The supervisor itself: how it is, how it is configured, what it tells
and is told, and its end.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import falcon

from ennio.actors.orchestrator import DiskUsage
from ennio.config import last_good
from ennio.config.secrets import masked
from ennio.config.sources import sources
from ennio.http.debug_dump import dump
from ennio.http.envelope import answer, encode
from ennio.http.openapi.schemas import ANY, TEXT
from ennio.http.operation import Operation, Resource, described, operation, word
from ennio.http.requests import read_raw
from ennio.model.codec import shown
from ennio.model.errors import Invalid
from ennio.model.request_fields import FlagField


@dataclass(frozen=True, slots=True)
class ConfigQuery:
    """Whether each value is told with where it comes from, in a list of its own form."""

    sources: Annotated[bool, FlagField()] = False


class SupervisorResource(Resource):
    """The process that answers."""

    @operation("How actors and pollers are.", ANY)
    def on_get(self) -> dict[str, Any]:
        """How its actors and pollers are."""
        supervisor, source = self._orchestrator.supervisor, self._orchestrator.config.source
        return {
            **supervisor.status(),
            "config_edited": last_good.is_edited(Path(supervisor.run_dir), source),
        }

    @operation("The configuration, secrets masked.", ANY, query=ConfigQuery)
    def on_get_config(self, query: ConfigQuery) -> Any:
        """The configuration it runs with, secrets masked; or each value with its source."""
        config = self._orchestrator.config
        # the parent of a worker: the one that starts it anew on a changed file
        return sources(config, os.getppid()) if query.sources else masked(config)

    @operation("What takes the disk; reckoned at most once a minute.", DiskUsage)
    def on_get_disk(self) -> DiskUsage:
        """By folder, and of the database."""
        return self._orchestrator.supervisor.disk()

    @operation("What goes on inside of it, secrets masked: for a report of a fault.", ANY)
    def on_get_debug(self) -> dict[str, Any]:
        """All that helps to find a fault; ``ennio debug dump`` keeps it in a file."""
        told = self._orchestrator.supervisor.inside()
        return dump(self._orchestrator.config, os.environ, shown(told))

    @operation("Stop the supervisor; agents keep running.", word("stopping"))
    def on_post_shutdown(self) -> str:
        """Stop it; the agents keep running."""
        self._orchestrator.supervisor.shutdown()
        return "stopping"

    @described(Operation("Whether the server answers; needs no token.", word("ok"), is_open=True))
    def on_get_health(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Say ok, to whatever load balancers ask."""
        answer(resp, "ok")

    @described(Operation("This document.", ANY, media="application/json"))
    def on_get_openapi(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Send it as it is: the one answer that stands in no envelope."""
        from ennio.http.openapi.document import document  # noqa: PLC0415 - it is made from the resources

        resp.content_type = falcon.MEDIA_JSON
        resp.data = encode(document())


class WebhooksResource(Resource):
    """What forges send when something happened; the signature is their token."""

    @described(
        Operation(
            "What GitHub sends when something happened; its signature is the token.",
            TEXT,
            is_open=True,
        )
    )
    def on_post_github(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Look again at what it is about."""
        event, delivery = req.get_header("X-GitHub-Event"), req.get_header("X-GitHub-Delivery")
        if not event or not delivery or len(delivery) > 100:
            raise Invalid(
                "X-GitHub-Event and X-GitHub-Delivery: one of these headers is missing; this is "
                "not what GitHub sends"
            )
        signature = req.get_header("X-Hub-Signature-256")
        answer(
            resp, self._orchestrator.supervisor.webhook(event, delivery, signature, read_raw(req))
        )
