"""Giving an order over NATS: signed with the token, which itself does not travel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ennio.model.errors import Unreachable
from ennio.model.signed_command import signed
from ennio.model.subjects import COMMANDS, of_house
from ennio.nats.connecting import connected
from ennio.nats.settings import NatsSettings

PATIENCE = 10.0


def order(
    settings: NatsSettings, token: str, command: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer of the supervisor that took it. Raises Unreachable where none did, or Refused."""
    connection = connected(settings)
    try:
        payload = signed(token, command, arguments, datetime.now(UTC))
        subject = of_house(COMMANDS, command, settings.instance)
        answer = connection.ask(subject, payload, within=PATIENCE)
    finally:
        connection.close()
    if answer is None or answer.status is not None:
        raise Unreachable(
            f"{settings.shown}: no supervisor that knows this token listens to {subject}"
        )
    return answer.json()
