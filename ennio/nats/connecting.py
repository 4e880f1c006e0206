"""The way to a connection: the client is an extra, and is imported where it is needed only."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ennio.machine.installation import adding
from ennio.model.errors import Refused
from ennio.nats.settings import NatsSettings

if TYPE_CHECKING:
    from ennio.nats.connection import NatsConnection

MISSING = f"nats_url wants the extra `nats`, which is not installed: {adding('nats')}"


def connected(settings: NatsSettings) -> NatsConnection:
    """A connection to the server. Raises Unreachable, or Refused: by the server,
    or for want of the client.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pynats asks pkg_resources for its own version
            from ennio.nats.connection import NatsConnection  # noqa: PLC0415 - see above
    except ImportError as error:
        raise Refused(f"{MISSING} ({error})") from error
    connection = NatsConnection(settings)
    connection.connect()
    return connection
