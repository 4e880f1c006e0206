"""What agents put out last that did not end well: what went wrong is often said there alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from ennio.model.errors import Unreachable
from ennio.model.facts import Presence, ProcessSeen
from ennio.model.printable import one_line
from ennio.plugins.runtime.interface import Pane, Runtime

LONGEST = 110  # letters; with the words around it, it fits where reasons are shown


class LastOutput:
    """Remembers it, so that each end is looked at once, all new ones by one request."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, tuple[ProcessSeen, str]]] = {}

    def told(
        self, runtime: Runtime, seen: Mapping[str, ProcessSeen], panes: Mapping[str, Pane]
    ) -> Mapping[str, ProcessSeen]:
        """What a survey saw, with the last line of those that ended so. A terminal that cannot be
        asked now is asked by the next survey.
        """
        before = self._known.get(runtime.name, {})
        ended = {name: process for name, process in seen.items() if _failed(process, panes, name)}
        known = {name: before[name] for name in ended if _same(before.get(name), ended[name])}
        new = [name for name in ended if name not in known]
        if new:
            with suppress(Unreachable):
                shown = runtime.screens(new)
                known |= {name: (ended[name], _last(shown.get(name, ""))) for name in new}
        self._known[runtime.name] = known
        return {
            name: replace(process, last_line=known[name][1]) if name in known else process
            for name, process in seen.items()
        }


def _failed(process: ProcessSeen, panes: Mapping[str, Pane], name: str) -> bool:
    """Whether it ended otherwise than well, and its terminal is still there."""
    own = name in panes and panes[name].dead and panes[name].pid == process.pid
    return own and process.presence is Presence.GONE and process.exit_code != 0


def _same(known: tuple[ProcessSeen, str] | None, process: ProcessSeen) -> bool:
    return known is not None and (known[0].number, known[0].pid) == (process.number, process.pid)


def _last(shown: str) -> str:
    lines = (line.strip() for line in reversed(shown.splitlines()))
    line = one_line(next(filter(None, lines), ""))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
