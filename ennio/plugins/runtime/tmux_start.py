"""The words that begin an agent in a session of tmux, on a server set as Ennio wants it, and what
the answer to them tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from ennio.machine.interface import CompletedCommand, Machine
from ennio.model.errors import Conflict, Unreachable
from ennio.plugins.runtime.interface import LaunchSpec
from ennio.plugins.runtime.tmux_client import ENDED, NO_SERVER, complaint
from ennio.plugins.runtime.tmux_listing import FORMAT, PaneRow, rows_of

_SERVER = (
    "set-option -g remain-on-exit on ;"
    "set-option -g remain-on-exit-format '' ;"  # tmux's own words are no output of the agent
    "set-option -g history-limit 50000 ;"
    "set-option -g default-terminal screen-256color ;"
    "set-option -wg automatic-rename off ;"  # a name that nobody reads; see ``AttachGuard``
    "set-option -g status off ;"
    # whoever is not a person's own terminal is drawn outside of the alternate screen
    "set-option -sa terminal-overrides ',xterm:smcup@:rmcup@' ;"
    "set-hook -g client-detached \"if-shell -F '#{==:#{hook_client},#{@ennio_person}}' "
    "'set-option -w window-size manual'\""
)
# Setting an option makes tmux go through all its sessions, so that is only done where it has to be.
_PRELUDE = (
    "start-server",
    ";",
    "if-shell",
    "-F",
    "#{!=:#{remain-on-exit}|#{history-limit}|#{status}|#{automatic-rename},on|50000|off|0}",
    _SERVER,
    ";",
)


class ServerEnded(Unreachable):
    """The server ended as it was asked for a terminal."""


def words_of(launch: LaunchSpec, pane: str | None, command: Sequence[str]) -> list[str]:
    """The words that start a launch in a session of its own or in a dead pane,
    mark it, and tell of it.
    """
    place = ["-c", _literal(str(launch.cwd)), "--", *command]
    session = f"={launch.name}:"
    marks = [";", "set-option", "-t", session, "@ennio_number", str(launch.number)]
    seen = [";", *listed(launch.name)]
    if pane is not None:
        # Without -k tmux itself refuses to replace a pane that lives.
        return ["respawn-pane", "-t", pane, *place, *marks, *seen]
    size = ["-x", str(launch.columns), "-y", str(launch.rows)]
    marks += [";", "set-option", "-F", "-t", session, "@ennio_pane", "#{pane_id}"]
    # tmux gives a session the size of whoever is attached to any of them, whatever it is told
    marks += [";", "resize-window", "-t", session, *size]
    # never as a global option: tmux 3.3 dies of it at its next session
    marks += [";", "set-option", "-w", "-t", session, "window-size", "manual"]
    return [*_PRELUDE, "new-session", "-d", "-s", launch.name, *size, *place, *marks, *seen]


def listed(name: str) -> list[str]:
    """The words that tell of one session's panes."""
    return ["list-panes", "-s", "-t", f"={name}:", "-F", FORMAT]


def _literal(word: str) -> str:
    """A word that tmux takes as it stands: neither expanded as a format nor, by a
    final semicolon, cut off.
    """
    word = word.replace("#", "##")
    return f"{word[:-1]}\\;" if word.endswith(";") else word


def begun(machine: Machine, launch: LaunchSpec, done: CompletedCommand) -> PaneRow:
    """What tmux tells of a launch in the request that begins it."""
    if done.code != 0 and complaint(done).startswith((*ENDED, *NO_SERVER)):
        raise ServerEnded(
            f"tmux ended while it was to start session {launch.name}: {complaint(done)}"
        )
    if done.code != 0:
        raise Conflict(f"tmux did not start session {launch.name}: {complaint(done)}")
    row = next(iter(rows_of(machine, done.stdout.decode(errors="replace"))), None)
    if row is None:
        raise Unreachable(f"tmux session {launch.name} was closed while it started")
    return row


def in_the_way(launch: LaunchSpec, row: PaneRow) -> Conflict:
    """What is said of another launch of the same session that stands."""
    state = "ended" if row.pane.dead else "still runs"
    return Conflict(
        f"session {launch.name}: launch {row.pane.number} {state}; stop it before launch "
        f"{launch.number} begins"
    )
