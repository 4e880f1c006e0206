"""Asks one tmux server for all its panes; where it answers nothing, proves that it has none."""

from __future__ import annotations

from ennio.machine.interface import Command
from ennio.model.errors import Unreachable
from ennio.plugins.runtime.tmux_client import TmuxClient
from ennio.plugins.runtime.tmux_control import NoControl, TmuxControl
from ennio.plugins.runtime.tmux_listing import FORMAT, is_listing, server_pid

_ALL = ("list-panes", "-a", "-F", FORMAT)
_ALL_LINE = f"list-panes -a -F '{FORMAT}'"


class TmuxSurvey:
    """By the kept client where there is one, else by a process."""

    def __init__(self, client: TmuxClient, control: TmuxControl | NoControl) -> None:
        self._client = client
        self._control = control
        self._server = client.server

    @property
    def command(self) -> Command:
        """What a process is asked by first."""
        return self._client.command(_ALL, only_reads=True)

    def listing(self, session: str | None) -> str | None:
        """All panes by one ``list-panes -a``, through a session that was seen to run; None where
        it is proven that nothing runs. Raises Unreachable.

        A server whose socket was taken away is asked for another first.
        """
        told, last = self._by_control(session), self._server.last
        listing = self._client.ask(_ALL, only_reads=True) if told is None else told
        if told is not None and not self._server.has_socket:
            # the kept client needs it no more, everybody else does
            self._server.restore_socket(last)
        # one that ended with its last terminal may have a successor by now, begun by another thread
        if listing is None and (
            self._server.restore_socket(last) or not self._server.is_refusing()
        ):
            listing = self._client.ask(_ALL)
        if listing is None and self._server.is_alive(last):
            raise Unreachable(
                f"the tmux server (pid {last.pid}) has lost its socket {self._server.place}, so "
                "nobody can ask it"
            )
        if listing:
            if not is_listing(listing):
                raise Unreachable(f"tmux printed what is no list of panes: {listing[:200]!r}")
            self._server.heard(server_pid(listing))
        return listing

    def _by_control(self, session: str | None) -> str | None:
        """By the kept client; None where a process has to ask, as when nothing was
        seen to run yet.
        """
        if session is None:
            return None
        answer = self._control.ask(session, _ALL_LINE, self._client.environment())
        if answer is None or not answer.ok:
            return None
        if not is_listing(answer.text):  # who answers something else is asked no more
            self._control.close()
            return None
        return answer.text
