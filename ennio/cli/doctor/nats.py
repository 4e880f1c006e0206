"""NATS: whether the client is installed, and whether the server takes us."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.config.model import Config
from ennio.machine.installation import adding
from ennio.model.errors import EnnioError, Refused
from ennio.nats import identity
from ennio.nats.connecting import connected
from ennio.nats.settings import NatsSettings


def idle(config: Config) -> Iterator[Finding]:
    """What is asked of NATS in vain, as far as that shows without the server."""
    settings = NatsSettings.of(config)
    if settings is None:
        if config.nats_stream or config.nats_instance:
            what = "nats_stream and nats_instance do nothing without nats_url (or NATS_URL)"
            yield warning(what, "add nats_url: nats://...")
        return
    if (lacks := missing(config)) is not None:
        yield lacks
        return
    try:
        identity.check(settings)
    except Refused as error:
        yield broken(str(error), "docs/nats.md says what belongs into these files")


def missing(config: Config) -> Finding | None:
    """An address of NATS, and nothing to speak to it with."""
    if not config.nats_url or importlib.util.find_spec("pynats"):
        return None
    return warning(
        "nats_url wants the extra `nats`, which is not installed; no event is published",
        adding("nats"),
    )


def server(config: Config) -> Finding | None:
    """Whether it answers and lets us in; None where there is nothing to ask, or to ask with."""
    settings = NatsSettings.of(config)
    if settings is None or missing(config) is not None:
        return None
    try:
        connected(settings).close()
    except Refused as error:
        return broken(f"NATS: {error}", "docs/nats.md says how to log in and whom to believe")
    except EnnioError as error:
        return warning(
            f"NATS: {error}", "start the server, or mend nats_url; events wait in the log"
        )
    return fine(f"NATS: {settings.shown} takes what is published")
