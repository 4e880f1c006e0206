"""An order over NATS, for when the supervisor can be reached by no other way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ennio.model.errors import EnnioError, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ennio.cli.context import CliContext


def ordered(context: CliContext, command: str, arguments: Mapping[str, Any]) -> str | None:
    """Where it was taken; None where there is no way over NATS, of which a person is told why.

    Nobody is asked in the name of a file that is not trusted. Raises Refused with what the
    supervisor says against it.
    """
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.http.address import known_token
    from ennio.machine.home import Home
    from ennio.nats.orders import order
    from ennio.nats.settings import NatsSettings

    try:
        config = load(context.config_file(), os.environ)
        settings = NatsSettings.of(config)
        token = config.api_token or known_token(context.run_directory())
        home = Home.of_environment()
        if settings is None or not token or trusted.unknown(config, home, os.environ):
            return None
        answer = order(settings, token, command, arguments)
    except EnnioError as error:
        context.note(f"nor is there a way over NATS: {error}")
        return None
    if "error" in answer:
        raise Refused(str(answer["error"]))
    return settings.shown
