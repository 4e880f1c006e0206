"""The sandbox of a session on this machine: what is in it, whether it can be had, and the launch
that begins in it.

Nothing degrades: what cannot be kept apart is not started, and it is said what is missing.
"""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import ennio
from ennio.config.money import MeteringChoice
from ennio.hosts.brief import Brief, SandboxSpec
from ennio.machine import single
from ennio.machine.home import Home
from ennio.machine.inherited import inherited
from ennio.machine.interface import Machine
from ennio.machine.sandbox import availability, bubblewrap, inside, outside, seccomp, through
from ennio.machine.sandbox.confined import ConfinedMachine
from ennio.machine.sandbox.isolation import FETCH, HOOK, INSIDE, PUSH, Isolation, door
from ennio.model.errors import Refused
from ennio.model.failpoints import failpoint
from ennio.model.isolation import NetworkAccess
from ennio.plugins.agent.interface import Agent, KeepsFiles, Listens
from ennio.plugins.git import Git
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import LaunchSpec
from ennio.plugins.workspace.address import local_path
from ennio.plugins.workspace.interface import Workspace
from ennio.proxy import process as proxy
from ennio.proxy.directory import ProxyDirectory

AGENT = "agent"
"""The folder of a session in which its agent and we meet; of all else of the session's it sees
nothing.
"""
_PLAN = "sandbox.json"
_GONE = frozenset(
    [
        "SSH_AUTH_SOCK",
        "SSH_AGENT_PID",
        "GNUPGHOME",
        "KRB5CCNAME",
        "XDG_RUNTIME_DIR",
        "TMPDIR",
        "TMP",
        "TEMP",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
    ]
)
"""What is inherited elsewhere and leads to what is not there."""
_PROXIES = frozenset(
    name
    for word in ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
    for name in (word, word.upper())
)
_PUBLIC = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix", "/snap")))


@dataclass(frozen=True, slots=True)
class SessionSandbox:
    """What is apart for a session: what its programs see, and the machine as it may be believed
    of them.
    """

    isolation: Isolation
    machine: ConfinedMachine
    workspace: Workspace


class Sandboxes:
    """Those of the sessions of this host, each thought out once. Safe under real threads."""

    def __init__(self, plugins: Registry, home: Home) -> None:
        self._plugins = plugins
        self._machine = plugins.machine
        self._home = home
        self._known: dict[str, tuple[object, SessionSandbox]] = {}

    def of(self, brief: Brief, path: Path) -> SessionSandbox | None:
        """The sandbox of a session, made ready by nobody yet; None for one that has none."""
        if brief.sandbox is None:
            return None
        key = (brief.sandbox, path, brief.agent, brief.workspace, brief.source)
        known = self._known.get(brief.session_id)
        if known is None or known[0] != key:
            known = self._known[brief.session_id] = key, self._made(brief, brief.sandbox, path)
        return known[1]

    def forget(self, session_id: str) -> None:
        """Nobody will ask for it any more."""
        self._known.pop(session_id, None)

    @failpoint("runtime.apart", because="files beside the session, written anew at each launch")
    def apart(
        self, launch: LaunchSpec, agent: Agent, brief: Brief, sandbox: SessionSandbox
    ) -> LaunchSpec:
        """The launch behind its walls: what leads to it is written down, and its doors are made.
        Raises Refused.
        """
        check(brief, agent, self._machine)
        ports: tuple[int, ...] = ()
        if brief.agent_config.metering is MeteringChoice.PROXY:
            port = proxy.port_of(ProxyDirectory(self._home.root / "proxy"))
            ports = (port,) if port is not None else ()
        return _apart(launch, brief, sandbox, self._home, ports)

    def _made(self, brief: Brief, wanted: SandboxSpec, path: Path) -> SessionSandbox:
        machine, folder = self._machine, self._home.session(brief.session_id)
        agent = self._plugins.agent(brief.agent, brief.project_id, brief.agent_config, brief.env)
        own = agent.own_files(machine, path) if isinstance(agent, KeepsFiles) else ()
        read = [one.path for one in own if not (one.writable or one.hidden)]
        written = [one.path for one in own if one.writable]
        hidden = [one.path for one in own if one.hidden]
        for one in own:
            if one.folder:
                machine.make_folder(one.path, private=True)
        isolation = Isolation(
            workspace=path,
            folder=folder,
            home=machine.home,
            writable=_real(machine, (folder / AGENT, *written, *map(Path, wanted.writable))),
            readable=_real(
                machine, (*_of_ennio(machine), *read, *map(Path, wanted.readable), *_linked(brief))
            ),
            network=wanted.network,
            ports=wanted.ports,
            known=_real(machine, (Path(brief.source), folder, path.parent, *hidden)),
        )
        confined = ConfinedMachine(machine, isolation)
        workspace = self._plugins.workspace_on(brief.workspace, confined)
        return SessionSandbox(isolation, confined, workspace)


def _linked(brief: Brief) -> tuple[Path, ...]:
    """What the project's links lead to."""
    return tuple(Path(brief.source) / link.source for link in brief.symlinks)


def _real(machine: Machine, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(machine.real(paths)))


def _of_ennio(machine: Machine) -> tuple[Path, ...]:
    """The Python that runs us, and the programs of ours that stand beside agents."""
    (real,) = machine.real([Path(machine.python)])
    places = (sys.prefix, sys.base_prefix, real.parent.parent, Path(ennio.__file__).parent)
    return tuple(dict.fromkeys(Path(place) for place in places))


# --- whether it can be had ------------------------------------------------------------------------


def check(brief: Brief, agent: Agent, machine: Machine) -> None:
    """Raise Refused where a session cannot be kept apart, with what to do."""
    if brief.workspace != "clone":
        raise Refused(
            f"isolation: a sandbox needs `workspace: clone`, and session {brief.session_id} has "
            f"workspace {brief.workspace}: spawn it anew"
        )
    if brief.runtime not in ("tmux", "process"):
        raise Refused(f"isolation: a sandbox needs runtime tmux or process, not {brief.runtime}")
    if isinstance(agent, Listens):
        raise Refused(
            f"isolation: the agent {agent.name} is spoken to on a port of this machine and has one "
            "database for all that it works on, so it cannot be kept apart: use another agent"
        )
    why = availability.obstacle(machine)
    if why is not None:
        raise Refused(f"isolation: bubblewrap cannot be had here: {why}")


# --- a launch -------------------------------------------------------------------------------------


def _apart(
    launch: LaunchSpec, brief: Brief, sandbox: SessionSandbox, home: Home, ports: tuple[int, ...]
) -> LaunchSpec:
    machine, isolation = sandbox.machine.machine, sandbox.isolation
    isolation = _with_program(machine, isolation, launch)
    _check_places(machine, isolation, home)
    led: tuple[int, ...] = ()
    if isolation.network is not NetworkAccess.HOST:
        led = tuple(dict.fromkeys((*isolation.ports, *ports)))
    lay(machine, isolation)
    first = (
        *(machine.python, "-I", "-S", inside.__file__),
        ",".join(map(str, led)),
        "--",
        *launch.argv,
    )
    words = bubblewrap.words(isolation, first, cwd=launch.cwd, doors=True)
    git, settings = _through_git(machine, brief, launch.env)
    plan = {
        "argv": words,
        "doors": str(isolation.doors),
        "hook": HOOK,
        "bell": str(isolation.folder / "bell.json"),
        "git": git,
        "ports": {door(port): port for port in led},
    }
    file = isolation.folder / _PLAN
    machine.write(file, json.dumps(plan).encode())
    argv = (machine.python, "-I", "-S", outside.__file__, str(file))
    return replace(launch, argv=argv, env={**launch.env, **settings})


def lay(machine: Machine, isolation: Isolation) -> None:
    """Make what has to be there before anything is run behind the walls."""
    for folder in (isolation.folder, isolation.folder / AGENT, isolation.doors, isolation.scratch):
        machine.make_folder(folder, private=True)
    machine.write(isolation.filter, seccomp.program(platform.machine(), isolation.network))


def environment(env: Mapping[str, str], brief: Brief) -> dict[str, str]:
    """An environment without what leads nowhere in there; what the project gives by name stays."""
    network = brief.sandbox.network if brief.sandbox is not None else NetworkAccess.HOST
    gone = _GONE if network is NetworkAccess.HOST else _GONE | _PROXIES
    return {name: value for name, value in env.items() if name in brief.env or name not in gone}


def _with_program(machine: Machine, isolation: Isolation, launch: LaunchSpec) -> Isolation:
    """With the folder of the agent's program, where that is none of the system's."""
    program = launch.argv[0]
    place = str(launch.cwd / program) if "/" in program else program
    found = machine.which(place, launch.env.get("PATH"))
    if found is None:
        return isolation
    (real,) = machine.real([Path(found)])
    there = (*_PUBLIC, *isolation.readable, *isolation.writable, isolation.workspace)
    link, package = Path(found), _package(machine, real)
    if not _is_below(package, there):
        isolation = replace(isolation, readable=(*isolation.readable, package))
    if link != real and not _is_below(link, (*there, package)):
        isolation = replace(isolation, links=((link, real),))
    return isolation


def _is_below(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(one) for one in folders)


def _package(machine: Machine, program: Path) -> Path:
    """What a program needs beside it: its package, where it is one of npm's, or its environment,
    where it is one of Python's; else itself.
    """
    around = program.parent.parent
    if single.exists(machine, around / "pyvenv.cfg"):
        return around
    parts = program.parts
    if "node_modules" in parts:
        return Path(*parts[: len(parts) - parts[::-1].index("node_modules")])
    return program


def _check_places(machine: Machine, isolation: Isolation, home: Home) -> None:
    """Refuse to show what would be a way out."""
    tmux = Path(machine.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{machine.user}"  # noqa: S108
    hidden = (home.root, tmux, Path("/proc"), Path("/dev"), Path("/sys"), Path("/run"))
    ours = {isolation.workspace, isolation.folder / AGENT}
    for path in (*isolation.readable, *isolation.writable):
        if path in ours:
            continue
        shown = next((one for one in hidden if one.is_relative_to(path)), None)
        shown = shown or next((one for one in hidden[2:] if path.is_relative_to(one)), None)
        if path.is_relative_to(home.root) and path not in _of_ennio(machine):
            shown = home.root
        if shown is not None:
            raise Refused(
                f"sandbox: {path} cannot be let in, for {shown} would be there, too, and that is a "
                "way out; name what is needed of it"
            )


# --- git through the door -------------------------------------------------------------------------


def _through_git(
    machine: Machine, brief: Brief, env: Mapping[str, str]
) -> tuple[dict[str, tuple[list[str], dict[str, str]]], dict[str, str]]:
    """Who answers a push and a fetch on this side, and what tells git inside to ask there; nothing
    where the project's repository is on another machine. And who commits.
    """
    settings = _identity(machine, Path(brief.source))
    served: dict[str, tuple[list[str], dict[str, str]]] = {}
    near = local_path(machine, brief.repo, Path(brief.source)) if brief.repo else None
    if near is not None:
        outer = {
            **inherited(machine.environ),
            **{name: env[name] for name in env if name.startswith("ENNIO_") and name in _WHO},
        }
        call = (machine.python, "-I", "-S", through.__file__)
        for name, program, key in (
            (PUSH, "receive-pack", "remote.origin.receivepack"),
            (FETCH, "upload-pack", "remote.origin.uploadpack"),
        ):
            served[name] = (["git", program, str(near.absolute())], outer)
            settings.append((key, shlex.join((*call, str(INSIDE / name)))))
    return served, _as_environment(settings, env)


_WHO = ("ENNIO_SESSION_ID", "ENNIO_PROJECT_ID", "ENNIO_REMOTE", "ENNIO_LAUNCH")


def _identity(machine: Machine, source: Path) -> list[tuple[str, str]]:
    """Who commits: the person's own settings are not there."""
    git = Git(machine, source)
    asked = [(key, git.run("config", "--get", key, check=False)) for key in _SIGNED]
    return [(key, told.text) for key, told in asked if told.ok and told.text]


_SIGNED = ("user.name", "user.email")


def _as_environment(settings: list[tuple[str, str]], env: Mapping[str, str]) -> dict[str, str]:
    given = env.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdigit() else 0
    told = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return told if settings else {}
