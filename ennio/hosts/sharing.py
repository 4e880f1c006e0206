"""How an agent's terminal is shared with people beside ``ennio open``, where the ``strategy`` of
its project's ``ssh_config`` says so. The agent lives in its tmux session all the same: what shares
it may fail, be cut off or end, and the agent notices nothing.

``tmate``: a tmate session of the session's own, which shows the terminal; its socket lies in a
folder that only its owner can read. ``remote_control``: Claude's own way, told on its command line;
its address is kept beside the session. Whoever has a link or an address can type there: they are
kept with the terminal's handle and shown with the session alone.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ennio.config.model import SshStrategy
from ennio.machine.interface import Command, Machine
from ennio.model.errors import EnnioError, Refused
from ennio.model.session import RuntimeHandle
from ennio.plugins.agent.interface import CommandLine
from ennio.plugins.runtime.interface import Runtime
from ennio.plugins.runtime.text import named

PATIENCE = 8
"""Seconds a launch waits for links: their server may be far away, or not there."""
SHARED = "shared_"
"""What the names of links in a handle's data begin with."""
FILE = "remote_control.json"

_ADDRESS = re.compile(r"https://claude\.ai/code[A-Za-z0-9/_?=&%.-]*")
_TMATE = r"""
umask 077; unset TMUX
place=$1 name=$2 limit=$3
mkdir -p "$place" && chmod 700 "$place" || exit 1
sock=$place/$name
printf '%s\n' "$4" >"$sock.sh" || exit 1
tmate -S "$sock" has-session 2>/dev/null ||
    tmate -S "$sock" new-session -d "exec sh '$sock.sh'" || exit 1
while :; do
    links=$(tmate -S "$sock" display -p '#{tmate_ssh}|#{tmate_ssh_ro}|#{tmate_web}|#{tmate_web_ro}')
    if [ "${links:-|||}" != '|||' ] || [ "$limit" -le 0 ]; then break; fi
    limit=$((limit - 1)); sleep 1
done
printf '%s\n' "$links"
"""
_UNSHARE = r"""
sock=$1
[ ! -S "$sock" ] || tmate -S "$sock" kill-server 2>/dev/null
rm -f "$sock" "$sock.sh"
"""
_ENDS = 5.0  # seconds that a server may take to hear that it is to end
_LINKS = ("ssh", "ssh_ro", "web", "web_ro")


class Sharing(Protocol):
    """What a strategy adds to a launch."""

    def lead(self, agent: str, session_id: str, command: CommandLine) -> CommandLine:
        """The command by which the agent is shared. Raises Refused where it cannot be."""
        ...

    def share(self, folder: Path, runtime: Runtime, handle: RuntimeHandle) -> RuntimeHandle:
        """Share the terminal of a launch that stands, or find that it is; its links are in the
        data of the handle, or why there are none. Never raises: the agent runs.
        """
        ...

    def unshare(self, session_id: str) -> None:
        """Share it no more; harmless where it is not."""
        ...


class Unshared:
    """Nobody but ``ennio open`` shows a terminal."""

    def lead(self, agent: str, session_id: str, command: CommandLine) -> CommandLine:
        """See ``Sharing``."""
        del agent, session_id
        return command

    def share(self, folder: Path, runtime: Runtime, handle: RuntimeHandle) -> RuntimeHandle:
        """See ``Sharing``."""
        del folder, runtime
        return handle

    def unshare(self, session_id: str) -> None:
        """See ``Sharing``."""


class TmateSharing(Unshared):
    """A tmate session for each session, whose sockets lie in ``place``; which server it speaks to
    says the ``~/.tmate.conf`` over there.
    """

    def __init__(self, machine: Machine, place: Path, patience: int = PATIENCE) -> None:
        self._machine = machine
        self._place = place
        self._patience = patience

    def lead(self, agent: str, session_id: str, command: CommandLine) -> CommandLine:
        """See ``Sharing``: nothing is told to the agent."""
        if self._machine.which("tmate") is None:
            where = self._machine.name or "this machine"
            raise Refused(
                f"strategy tmate: tmate is not installed on {where} (Debian, Ubuntu: sudo apt-get "
                "install tmate), or write `strategy: tmux`"
            )
        return command

    def share(self, folder: Path, runtime: Runtime, handle: RuntimeHandle) -> RuntimeHandle:
        """See ``Sharing``."""
        del folder
        try:
            done = self._machine.run(self.command(runtime, handle))
        except EnnioError as error:
            return _with(handle, {"problem": f"tmate could not be asked: {error}"})
        if done.code != 0:
            why = done.stderr.decode(errors="replace").strip()[:300] or f"code {done.code}"
            return _with(handle, {"problem": f"tmate did not begin: {why}"})
        return _with(handle, links_of(done.stdout.decode(errors="replace"), self._patience))

    def command(self, runtime: Runtime, handle: RuntimeHandle) -> Command:
        """What begins it, finds it again, and prints its links."""
        words = (str(self._place), named(handle.id), str(self._patience))
        # by a file: a semicolon among its words would be one of tmate's own
        shows = shlex.join(beside(runtime.attach_command(handle)))
        argv = ("sh", "-c", _TMATE, "sh", *words, f"exec {shows}")
        return Command(argv, timeout=self._patience + 20.0, leaves_server=True)

    def unshare(self, session_id: str) -> None:
        """See ``Sharing``. What it shows ends with the terminal, and it with that; one that hangs
        is ended, and nothing of it stays.
        """
        socket = self._place / named(session_id)
        command = Command(("sh", "-c", _UNSHARE, "sh", str(socket)), timeout=_ENDS, grace=0.0)
        if self._machine.run(command).overdue is not None:
            self._end(str(socket))
            self._machine.remove([socket, socket.with_name(f"{socket.name}.sh")])

    def _end(self, socket: str) -> None:
        """End a server that takes no orders any more."""
        found = [one for one in self._machine.others() if one.name == "tmate"]
        hung = [one.id for one in found if socket in self._machine.words(one.id.pid)]
        self._machine.signal(hung, signal.SIGKILL)


class RemoteControlSharing(Unshared):
    """Claude Code's remote control: an interactive session, with its prompt, that can be gone on
    with at an address of claude.ai.
    """

    def __init__(self, machine: Machine, patience: float = PATIENCE) -> None:
        self._machine = machine
        self._patience = patience

    def lead(self, agent: str, session_id: str, command: CommandLine) -> CommandLine:
        """See ``Sharing``."""
        if agent != "claude-code":
            raise Refused(
                f"strategy remote_control is Claude's own, and the agent is {agent}: write `agent: "
                "claude-code`, or another strategy"
            )
        program, *rest = command.argv
        return replace(command, argv=(program, "--remote-control", session_id, *rest))

    def share(self, folder: Path, runtime: Runtime, handle: RuntimeHandle) -> RuntimeHandle:
        """See ``Sharing``: the address is what the agent shows first, and in its session's folder
        (0700) from then on.
        """
        until = time.monotonic() + self._patience
        try:
            while (found := _ADDRESS.search(runtime.output(handle, 200))) is None:
                if time.monotonic() > until:
                    words = f"it has shown no address of remote control within {self._patience:g} s"
                    return _with(handle, {"problem": words})
                time.sleep(0.5)
            told = {"address": found[0], "pid": handle.data.get("pid", "")}
            self._machine.write(folder / FILE, json.dumps(told).encode())
        except (EnnioError, OSError) as error:
            return _with(handle, {"problem": f"its address could not be read: {error}"})
        return _with(handle, {"address": found[0]})


def beside(attach: Sequence[str]) -> list[str]:
    """The command that attaches a person's terminal, for one after whose size the agent's does not
    go.
    """
    words = list(attach[: attach.index(";")] if ";" in attach else attach)
    if "attach-session" in words:
        at = words.index("attach-session") + 1
        words[at:at] = ["-f", "ignore-size"]
    return words


def links_of(printed: str, patience: float) -> dict[str, str]:
    """The links that tmate has, by what leads there; where it has none, why."""
    words = printed.strip().splitlines()[-1:] or [""]
    found = dict(zip(_LINKS, words[0].split("|"), strict=False))
    links = {name: link for name, link in found.items() if link.strip()}
    return links or {
        "problem": f"tmate's server has given no link within {patience:g} s (tmate-server-host in "
        "~/.tmate.conf over there)"
    }


def shared(data: Mapping[str, str]) -> dict[str, str]:
    """What a handle's data hold of it: links, the address, or the problem."""
    return {
        name.removeprefix(SHARED): value for name, value in data.items() if name.startswith(SHARED)
    }


def shared_by(data: Mapping[str, str]) -> str:
    """By which strategy people reach the terminal of a handle; empty where nobody does."""
    if f"{SHARED}address" in data:
        return str(SshStrategy.REMOTE_CONTROL)
    return str(SshStrategy.TMATE) if any(f"{SHARED}{name}" in data for name in _LINKS) else ""


def _with(handle: RuntimeHandle, told: Mapping[str, str]) -> RuntimeHandle:
    return replace(
        handle, data={**handle.data, **{f"{SHARED}{name}": value for name, value in told.items()}}
    )
