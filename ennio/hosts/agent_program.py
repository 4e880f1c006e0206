"""The program of an agent: that it is there is said before anything is started, since in a terminal
nobody would read that it is not.
"""

from __future__ import annotations

from pathlib import Path

from ennio.hosts.resolved import ResolvedBrief
from ennio.machine.interface import Machine
from ennio.machine.search_path import folders_of
from ennio.model.errors import Refused
from ennio.plugins.agent.interface import Agent, CalledOtherwise


def insist(
    machine: Machine, host: str, agent: Agent, program: str, place: str, path: str | None
) -> None:
    """Raise Refused, with the way to install it, where the program is neither in its place nor on
    the search path. ``host`` is the machine's name, empty for this one.
    """
    if machine.which(place, path) is not None:
        return
    again = (
        f"have its folder in the PATH of a login of {host} by ssh (`ssh {host} env`)"
        if host
        else "start the supervisor from there: ennio stop && ennio start --detach"
    )
    # last, since lines are cut
    searched = "" if "/" in program else f" (PATH here: {folders_of(path or '')})"
    way = f"{agent.hint}; where a shell of yours finds it, {again}{searched}"
    raise Refused(f"{program} is not installed, or not executable: {way}")


def insist_beforehand(machine: Machine, host: str, at: ResolvedBrief, path: str) -> None:
    """The same before there is a working copy: what may come with that, or by its hooks, is not
    known to be missing.
    """
    program = _called(at.agent, machine)
    if program and not at.brief.post_create and not _may_come(program, path, at.path):
        insist(machine, host, at.agent, program, program, path)


def _called(agent: Agent, machine: Machine) -> str:
    """The program, by the name or in the place that it has on that machine."""
    if machine.name and isinstance(agent, CalledOtherwise):
        return agent.executable_elsewhere
    return agent.executable


def _may_come(program: str, path: str, workspace: Path) -> bool:
    """Whether a working copy may bring the program."""
    places = [program] if "/" in program else path.split(":")
    return any(
        not Path(place).is_absolute() or Path(place).is_relative_to(workspace) for place in places
    )
