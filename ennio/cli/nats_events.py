"""Following on NATS what a supervisor publishes, from wherever that server can be reached."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ennio.model.errors import NotFound, Refused, Unreachable
from ennio.model.events import lowered
from ennio.model.session import Priority
from ennio.model.subjects import CATEGORIES, COMMANDS, pattern
from ennio.nats.connecting import connected
from ennio.nats.settings import NatsSettings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from ennio.cli.context import CliContext
    from ennio.nats.protocol import Incoming

LIVE = ("metrics", "dashboard")
"""Categories that tell no events."""
PAUSE = 1.0


def server(context: CliContext) -> NatsSettings:
    """The server of the configuration, else that of ``NATS_URL``.

    Raises NotFound where neither is there, Refused for a file that nobody has trusted.
    """
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.machine.home import Home

    try:
        source = context.config_file()
    except NotFound:
        source = None
    if source is not None:
        config = load(source, os.environ)
        settings = NatsSettings.of(config)
        if settings is not None:
            trusted.insist(config, Home.of_environment(), os.environ)
            return settings
    if not (url := os.environ.get("NATS_URL")):
        raise NotFound("no NATS server is known: set nats_url in ennio.yaml, or NATS_URL")
    return NatsSettings(url)


def followed(
    settings: NatsSettings,
    wanted: argparse.Namespace,
    show: Callable[[dict[str, Any]], None],
    note: Callable[[str], None],
) -> None:
    """Show what is published until somebody ends it; a server that goes is waited for.

    Raises Unreachable where it is not there at the beginning, Refused where it lets nobody in.
    """

    def heard(message: Incoming) -> None:
        event = message.json()
        if _is_event(event) and _fits(event, wanted):
            show(event)

    connection = connected(settings)
    while True:
        for subject in _subjects(settings.instance):
            connection.listen(subject, heard)
        try:
            connection.round_trip()  # from here on nothing is missed
            note(f"following what is published on {settings.shown}")
            connection.attend()
        except Unreachable as error:
            note(f"{error}; it is waited for, and what happens meanwhile is not shown")
        connection = _again(settings)


def _again(settings: NatsSettings) -> Any:
    while True:
        time.sleep(PAUSE)
        try:
            return connected(settings)
        except Refused:
            raise
        except Unreachable:
            continue


def _subjects(instance: str) -> Iterator[str]:
    yield from (pattern(one, instance) for one in CATEGORIES if one not in (COMMANDS, *LIVE))


def _is_event(found: dict[str, Any]) -> bool:
    """Whether it has what is shown of one: on a server anybody may write."""
    names = ("event_type", "priority", "session_id", "project_id", "timestamp", "message")
    return all(isinstance(found.get(name), str) for name in names)


def _fits(event: dict[str, Any], wanted: argparse.Namespace) -> bool:
    ranks = {one.value: one.rank for one in Priority}
    return (
        (not wanted.type or event["event_type"] in wanted.type)
        and wanted.session in (None, event["session_id"])
        and wanted.project in (None, event["project_id"])
        and ranks.get(event["priority"], 0) >= ranks.get(wanted.priority or "info", 0)
        and lowered(wanted.text or "") in lowered(event["message"])
    )
