"""The configuration: whether it loads, whether its ports are free, what is
left over of an earlier run.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import shlex
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from ennio.cli.doctor import base_branch, nats
from ennio.cli.doctor.finding import Finding, broken, fine, warning
from ennio.cli.doctor.ownership import allows, not_ours
from ennio.config import trusted
from ennio.config.discover import in_the_way
from ennio.config.host_name import host_of
from ennio.config.model import Config, Demand, NotifierConfig, PluginChoice, Project
from ennio.config.sandbox import Sandbox
from ennio.config.secrets import masked
from ennio.machine.closed_place import closed, opening
from ennio.model.errors import ConfigError, EnnioError, Problem, Untrusted
from ennio.model.plugin_names import offered
from ennio.plugins.github.settings import found_address
from ennio.plugins.github.token import TokenSource, login
from ennio.plugins.registry import installed


def file(source: Path | None, problems: list[str]) -> Finding:
    """The file itself."""
    if source is None:
        nothing = "there is no ennio.yaml here or in any folder above"
        if (folder := in_the_way(Path.cwd())) is not None:
            return broken(f"{nothing}: {folder} is a folder", "ennio init  (once it is moved away)")
        return broken(nothing, "ennio init")
    if problems:
        return broken(f"{source} cannot be used: {'; '.join(problems)}", "ennio config check")
    return fine(f"configuration {source}")


def trust(config: Config, new: Sequence[Demand]) -> Finding:
    """Whether a person has trusted it; until then nothing it names is run, and
    nobody it names is asked.
    """
    if not new:
        return fine("the configuration is trusted")
    asked = [
        trusted.brief(demand)
        for demand in new
        if demand.place.endswith((".tracker", ".scm")) or _is_service(demand)
    ]
    what = (
        "the configuration is not trusted: nothing it names was run, and no token of yours was "
        "shown to anybody"
    )
    asked += sorted({f"host {host_of(one)}" for one in config.projects if one.ssh is not None})
    what += f"; not asked: {', '.join(asked)}" if asked else ""
    return warning(
        what, f"ennio config trust --show   and when you agree: {trusted.command(config.source)}"
    )


def _is_service(demand: Demand) -> bool:
    """Whether it is one that is asked for the whole file, see ``_services`` of the verb."""
    return demand.place == "nats_url" or demand.place.startswith("notifiers[")


def database(config: Config) -> Finding | None:
    """Whether another account could have written the database, and with it what runs."""
    try:
        trusted.insist_on_database(config)
    except Untrusted as error:
        return broken(str(error), "mend it as it says, or name another by database_url")
    return None


def is_number(host: str) -> bool:
    """Whether an address needs no name service: it is in numbers, or this machine."""
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def project(place: Project) -> Finding:
    """The project's own working copy."""
    if not (place.path / ".git").exists() and not (place.path / "HEAD").exists():
        return broken(
            f"project {place.id}: {place.path} is no git repository",
            f"git clone {shlex.quote(place.repo)} {shlex.quote(str(place.path))}",
        )
    if place.workspace == "worktree" and (shut := _closed_repository(_common(place.path))):
        clone = f"git clone {shlex.quote(place.repo)} ..."
        other = f"{clone}  (a folder of yours, then path: in ennio.yaml)"
        return broken(
            f"project {place.id}: nothing can be written in its repository: {closed(shut)}",
            opening(shut) or other,
        )
    return base_branch.lacking(place) or fine(f"project {place.id} at {place.path}")


def _common(path: Path) -> Path:
    """Where the repository of a working copy lies; what git does not tell is where it mostly is."""
    from ennio.machine.local import LocalMachine
    from ennio.plugins.git import Git

    with suppress(EnnioError):
        return Git(LocalMachine(), path).common or path / ".git"
    return path / ".git"


def _closed_repository(folder: Path) -> Path | None:
    """What of a repository cannot be written, though every session writes there."""
    places = (folder, *(folder / part for part in ("objects", "refs", "refs/heads", "worktrees")))
    return next((place for place in places if closed(place)), None)


def repository(place: Project) -> Finding | None:
    """The repository of a local forge, which need not be the working copy; None
    where the forge is another.
    """
    from ennio.plugins.forge.local.repository import repository_path

    if place.forge is None or place.forge.plugin != "local":
        return None
    try:
        path = repository_path(place)
    except ConfigError:
        return None  # the settings' own finding
    if (path / "HEAD").exists() or (path / ".git").exists():
        return _taken_by_git(place, path) or _open_to_us(place, path)
    fix = (
        "put it back where it was, or say in repo where it is now; pull requests stay as they "
        "were last seen until then. "
        "Where it is lost, make it anew in a clone of yours that is up to date: git clone --bare "
        f". {shlex.quote(str(path))}"
    )
    return broken(
        f"project {place.id}: its forge's repository {path} cannot be read: there is none", fix
    )


def _taken_by_git(place: Project, path: Path) -> Finding | None:
    """Whether git reads it, which it does not where it is somebody else's."""
    asked = ("git", "-C", str(path), "rev-parse", "--git-dir")
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=15)
    except (OSError, subprocess.TimeoutExpired):
        return None  # that git is missing is the machine's finding
    if (refused := not_ours(done.stderr)) is None:
        return None
    return broken(
        f"project {place.id}: git does not take its forge's repository {refused}: it belongs to "
        "somebody else",
        allows(refused),
    )


def _open_to_us(place: Project, path: Path) -> Finding | None:
    """Whether it can be written, as every push and every merge does."""
    shut = _closed_repository(path / ".git" if (path / ".git").is_dir() else path)
    if shut is None:
        return None
    other = "have its owner let you write there, or name another repository as repo in ennio.yaml"
    return broken(
        f"project {place.id}: nothing can be written in its forge's repository: {closed(shut)}",
        opening(shut) or other,
    )


def token(place: Project, choice: PluginChoice | None, slot: str) -> Finding | None:
    """Whether a GitHub plugin has a token to work with; Linear is asked itself."""
    if choice is None or choice.plugin != "github" or choice.config.get("token"):
        return None
    address = found_address(place, choice.config)
    if address is None or TokenSource(None, address).token():
        return None
    fix = f"put token: ${{GITHUB_TOKEN}} into its config, or: {login(address.host)}"
    return warning(
        f"project {place.id}: its {slot} {choice.plugin} has no token for {address.host}", fix
    )


def own_port(config: Config, url: str | None, run_dir: Path) -> Finding:
    """The port of the API: the one that was chosen, else one that is free."""
    if config.port_chosen or url is not None:
        number = config.port if url is None else urlsplit(url).port or config.port
        return port(number, config.host, ours=url is not None, name="port")
    from ennio.http.port import expected, remembered

    free = expected(config, run_dir)
    why = "it had that before" if free == remembered(run_dir) else f"{config.port} is taken"
    kept = "" if free == config.port else f" (no `port` is set, and {why})"
    return fine(f"port {free} is free{kept}" if free else "a free port will be taken")


def port(number: int, host: str, *, ours: bool, name: str) -> Finding:
    """Whether a port can be listened on; the supervisor's own is fine."""
    if ours:
        return fine(f"{name} {number} is the running supervisor's")
    taken = _taken(host, number)
    if taken:
        from ennio.http.port import port_owner

        other = port_owner(number)
        if taken == os.strerror(errno.EADDRINUSE):
            join = "and" if other.ennio else "or"
            return broken(
                f"{name} {number} is taken by {other.who}",
                f"{other.way}, {join} set another `{name}` in ennio.yaml",
            )
        return broken(
            f"{name} {number} cannot be listened on: {taken}", f"set another `{name}` in ennio.yaml"
        )
    return fine(f"{name} {number} is free")


def _taken(host: str, number: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def absent(place: Project, choice: PluginChoice | None, slot: str) -> Finding | None:
    """A name the configuration may use, of a plugin that nobody has brought yet."""
    if choice is None or choice.plugin in installed(slot):
        return None
    there = ", ".join(offered(installed(slot)))
    return warning(
        f"project {place.id}: no {slot} plugin {choice.plugin} is installed, so nothing is asked "
        "of it",
        f"use one of: {there}",
    )


def settings(problems: Sequence[Problem]) -> Finding | None:
    """What plugins do not understand of their settings: with it no supervisor starts."""
    if not problems:
        return None
    return broken(
        f"the configuration cannot be used: {'; '.join(map(str, problems))}", "ennio config check"
    )


def channel(place: NotifierConfig) -> Finding | None:
    """A channel to people that nobody has brought yet: what is routed to it reaches nobody."""
    if place.plugin in installed("notifier"):
        return None
    there = ", ".join(offered(installed("notifier"))) or "none yet"
    what = (
        f"notifiers[{place.name}]: this version has no notifier {place.plugin}, so nobody is "
        "told anything through it"
    )
    return warning(
        what, f"look at the events: ennio events --follow   (notifiers that are installed: {there})"
    )


def sandbox_folders(place: Project) -> Iterator[Finding]:
    """What a sandbox is to show and is not there: it is left out of it."""
    shown = place.sandbox if place.isolation != "none" else Sandbox()
    for key, paths in (("readable", shown.readable), ("writable", shown.writable)):
        for path in paths:
            if not path.exists():
                yield warning(
                    f"project {place.id}: sandbox.{key} names {path}, which is not there: its "
                    "sessions go without it",
                    f"mkdir -p {shlex.quote(str(path))}   or mend the path in ennio.yaml",
                )


def idle(config: Config) -> Iterator[Finding]:
    """What a configuration asks for in vain in this version, or would wait for without end."""
    yield from _nothing_starts(config)
    for place in config.projects:
        yield from filter(
            None,
            (
                absent(place, place.tracker, "tracker"),
                absent(place, place.forge, "scm"),
                *sandbox_folders(place),
            ),
        )
    yield from filter(None, (*map(channel, config.notifiers), *nats.idle(config)))


def _nothing_starts(config: Config) -> Iterator[Finding]:
    """Where a limit of 0 has every session wait; it may be meant, to let a machine run dry."""
    limits = [("max_sessions", "no session", config.max_sessions)]
    for place in config.projects:
        key, who = f"projects[{place.id}]", f"no session of {place.id}"
        limits.append((f"{key}.max_sessions", who, place.max_sessions))
        on_host = None if place.ssh is None else place.ssh.max_sessions
        limits.append((f"{key}.ssh_config.max_sessions", who, on_host))
    for key, who, most in limits:
        if most == 0:
            yield warning(
                f"{key} is 0: {who} starts, each waits in the queue",
                "a number above 0, or no max_sessions",
            )


def open_door(config: Config) -> Finding | None:
    """A bind beyond this machine deserves a word."""
    if config.host in ("127.0.0.1", "localhost", "::1"):
        return None
    shown = masked(config)["host"]
    return warning(
        f"the API listens on {shown}: others on the network can reach it with the token, and what "
        "they send is not encrypted",
        "host: 127.0.0.1  in ennio.yaml; in a container keep it, and publish its port to this "
        f"machine alone: -p 127.0.0.1:{config.port or 3000}:{config.port or 3000}",
    )
