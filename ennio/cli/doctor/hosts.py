"""The other machines that projects are on: each is asked over ssh, side by side, with a limit."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ennio.board.quantities import size, span
from ennio.cli.doctor.agents import KINDS
from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.cli.doctor.machine import GIT, INTRODUCTION
from ennio.cli.doctor.nodes import node
from ennio.cli.doctor.ownership import allows, not_ours
from ennio.config.host_name import host_of, limits_of_hosts
from ennio.config.model import Config, Project, SshConfig, SshStrategy
from ennio.hosts.far_machine import far_machine
from ennio.hosts.resolved import source_of
from ennio.hosts.ssh_words import ssh_words
from ennio.machine.interface import Command
from ennio.machine.ssh.errors import LoginRefused
from ennio.model.errors import EnnioError
from ennio.policy.degradation import LITTLE_DISK

if TYPE_CHECKING:
    from ennio.machine.ssh.machine import SshMachine

_LIMIT = 30.0
"""Seconds for all questions after a connection stands."""
_ASK = 15.0
_IDENTITY = ("git", "var", "GIT_COMMITTER_IDENT")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


def hosts(config: Config) -> Sequence[Finding]:
    """What is found on each; one that does not answer in time is said to be silent."""
    asked: dict[str, list[Project]] = {}
    for project in config.projects:
        if project.ssh is not None:
            asked.setdefault(host_of(project), []).append(project)
    found: dict[str, list[Finding]] = {}
    _, floors = limits_of_hosts(config)

    def ask(name: str, projects: Sequence[Project]) -> None:
        answers = [*_host(name, projects, floors.get(name, config.min_free_memory))]
        found[name] = answers

    threads = {
        name: threading.Thread(target=ask, args=(name, projects), daemon=True)
        for name, projects in asked.items()
    }
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(_limit(asked[name]))
    return [one for name in asked for one in found.get(name) or [_silent(name, asked[name])]]


def _limit(projects: Sequence[Project]) -> float:
    return _LIMIT + max(each.ssh.connection_timeout for each in projects if each.ssh is not None)


def _silent(name: str, projects: Sequence[Project]) -> Finding:
    words = shlex.join((*_login(projects), "true"))
    return broken(f"host {name} did not answer within {_limit(projects):g} s", words)


def _login(projects: Sequence[Project]) -> tuple[str, ...]:
    ssh = next(each.ssh for each in projects if each.ssh is not None)
    return ssh_words(ssh, terminal=False)


def _host(name: str, projects: Sequence[Project], least: int) -> Iterator[Finding]:
    ssh = next(each.ssh for each in projects if each.ssh is not None)
    machine = far_machine(name, ssh)
    try:
        try:
            machine.check()
        except EnnioError as error:
            yield broken(f"host {name}: {error}", _mended_by(error, projects))
            return
        yield fine(f"host {name} answers, and lets us in")
        try:
            way = shlex.join(_login(projects))
            yield from clock(machine.name, machine.ahead, way)
            yield from _tools(machine, ssh, way)
            if ssh.strategy is SshStrategy.NODE:
                yield from node(machine, ssh, way)
            for project in projects:
                yield from _project(machine, project, way)
            yield from _room(machine, least, way)
        except (EnnioError, OSError) as error:
            yield broken(f"host {name} could not be looked at: {error}", "ennio doctor")
    finally:
        machine.close()


def _mended_by(error: EnnioError, projects: Sequence[Project]) -> str:
    """The command that mends it, else the one that tells more of it."""
    mends = error.mended_by if isinstance(error, LoginRefused) else ""
    return mends or f"{shlex.join((*_login(projects), 'true'))}  (tells more)"


def clock(name: str, ahead: float, way: str) -> Iterator[Finding]:
    """Whether it keeps the time, as far as that was told by the answers so far."""
    if ahead:
        which = "ahead of" if ahead > 0 else "behind"
        words = (
            f"host {name}: its clock is {span(abs(ahead))} {which} ours. What is shown goes by "
            "ours; commits made over there do not"
        )
        yield warning(words, f"{way} {shlex.quote('sudo timedatectl set-ntp true')}")


def _tools(machine: SshMachine, ssh: SshConfig, way: str) -> Iterator[Finding]:
    """``way`` is the command that leads there, for whoever mends it."""
    name = machine.name
    git = _said(machine, "git", "--version")
    if git is None:
        yield broken(f"host {name}: git is not installed", _install(way, "git"))
    elif _version(git) < GIT:
        least = ".".join(map(str, GIT))
        what = f"host {name}: {git} is older than {least}, which tries merges"
        yield warning(what, _install(way, "git"))
    else:
        yield fine(f"host {name}: {git}")
    if git is not None and machine.run(Command(_IDENTITY, timeout=_ASK)).code != 0:
        yield warning(
            f"host {name}: git does not know who you are there, so agents cannot commit",
            f"{way} {shlex.quote(INTRODUCTION)}",
        )
    if ssh.strategy is not SshStrategy.NODE:
        for program in ("tmux", *(("tmate",) if ssh.strategy is SshStrategy.TMATE else ())):
            told = _said(machine, program, "-V")
            missing = broken(f"host {name}: {program} is not installed", _install(way, program))
            yield missing if told is None else fine(f"host {name}: {told}")
    if machine.which("python3") is None:
        what = (
            f"host {name}: there is no python3, without which no working copy is removed: nobody "
            "could say what would be lost"
        )
        yield warning(what, _install(way, "python3"))


def _project(machine: SshMachine, project: Project, way: str) -> Iterator[Finding]:
    name, place = machine.name, source_of(machine, str(project.path))
    here = f"host {name}: project {project.id}"
    kinds = {kind.name: kind for kind in KINDS}
    kind = kinds.get(project.agent)
    if kind is not None:
        path = project.env.get("PATH")
        there = machine.which(kind.executable, path)
        told = f"{here}: {kind.executable} is not on the PATH of a login over ssh"
        yield fine(f"{here}: {there}") if there else broken(told, f"{way}  (then: {kind.hint})")
    if isinstance(machine.stat([place / ".git"])[0], OSError):
        clone = shlex.join(("git", "clone", project.repo, str(place)))
        yield broken(f"{here}: {place} is no repository", f"{way} {shlex.quote(clone)}")
        return
    asked = ("git", "-C", str(place), "ls-remote", "--exit-code", "origin", "HEAD")
    env = {**machine.environ, **_QUIET}
    done = machine.run(Command(asked, cwd="/", env=env, timeout=_ASK))
    refused = not_ours(done.stderr.decode(errors="replace"))
    if refused is not None:
        over_there = source_of(machine, refused) == place
        yield broken(
            f"{here}: git does not take {refused}: it belongs to somebody else",
            f"{way} {shlex.quote(allows(refused))}"
            if over_there
            else f"{allows(refused)}  (where it lies, as the user it is reached by)",
        )
    elif done.code != 0 or done.overdue is not None:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"no answer within {_ASK:g} s"
        again = f"{way} {shlex.quote(shlex.join(asked))}"
        yield broken(f"{here}: its remote cannot be reached from there: {why}", again)
    else:
        yield fine(f"{here}: {place} stands, and its remote is reached")


def _room(machine: SshMachine, least: int, way: str) -> Iterator[Finding]:
    memory, disk = machine.free_memory(), machine.free_disk(machine.home)
    if memory < least:
        what = f"host {machine.name}: {size(memory)} of memory are free, less than min_free_memory"
        yield warning(what, f"{way} 'ps aux --sort=-rss | head'")
    if disk < LITTLE_DISK:
        what = f"host {machine.name}: only {size(disk)} of disk are free at {machine.home}"
        yield warning(what, f"{way} 'du -xh --max-depth=1 ~ | sort -h | tail'")
    yield fine(f"host {machine.name}: {size(memory)} of memory and {size(disk)} of disk are free")


def _said(machine: SshMachine, *argv: str) -> str | None:
    """The first line a program prints over there; None when it is not there."""
    if machine.which(argv[0]) is None:
        return None
    done = machine.run(Command(argv, timeout=_ASK))
    return (done.stdout or done.stderr).decode(errors="replace").strip().split("\n")[0]


def _version(said: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)+", said)
    return tuple(map(int, found[0].split("."))) if found else ()


def _install(way: str, package: str) -> str:
    asks = way.replace("ssh", "ssh -t", 1)  # for a password
    return f"{asks} sudo apt-get install {package}  (or its own package manager)"
