"""Whether what projects say of other machines fits together: projects on one host share what is
there, and so they must say the same of it.

Works on the plain values of the file, as ``cross_checks`` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ennio.config.host_name import named
from ennio.config.yaml_source import Where, shown

Fault = tuple[Where, str]

_SHARED: Mapping[str, Any] = {
    "auth": None,
    "connection_timeout": None,
    "host_key_policy": None,
    "keepalive_interval": None,
    "known_hosts_path": None,
    "max_sessions": None,
    "min_free_memory": None,
    "node_config": None,
    "strategy": "tmux",
}


def faults(projects: Iterator[tuple[int, Any]], defaults: Mapping[str, Any]) -> Iterator[Fault]:
    """What of the machines of these projects does not fit together."""
    first: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for index, project in projects:
        if not isinstance(project, dict):
            continue
        yield from _runtime(index, project, defaults)
        ssh = project.get("ssh_config")
        name = _name(ssh) if isinstance(ssh, dict) else None
        if isinstance(ssh, dict):
            yield from _forge(index, project)
            yield from _metering(index, project)
            yield from _strategy(index, project, defaults, ssh)
            yield from _place(index, ssh)
        if isinstance(ssh, dict) and name is not None:
            before, other = first.setdefault(name, (index, ssh))
            yield from _differing(index, ssh, before, other, name)


_USER = re.compile(r"(?:ssh://)?(?P<user>[^@/]+)@(?P<host>.+)")
_PORT = re.compile(r"(?P<host>[^:]+|\[[^]]+\]):(?P<port>\d+)")


def _place(index: int, ssh: Mapping[str, Any]) -> Iterator[Fault]:
    """A host with more in it than a host, and a key that opens nothing."""
    host, auth = ssh.get("host"), ssh.get("auth")
    if isinstance(host, str) and (one := _USER.fullmatch(host) or _PORT.fullmatch(host)):
        key = "username" if "user" in one.groupdict() else "port"
        words = f"{{value}} names the {key}, too: write `host: {one['host']}`"
        words += f" and `{key}: {one['user' if key == 'username' else key]}`"
        yield ("projects", index, "ssh_config", "host"), words
    path = auth.get("path") if isinstance(auth, dict) else None
    if isinstance(path, str) and path.endswith(".pub"):
        yield (
            ("projects", index, "ssh_config", "auth", "path"),
            "{value} is the public half of a key: name the private one, " + path[: -len(".pub")],
        )


def _differing(
    index: int, ssh: Mapping[str, Any], before: int, other: Mapping[str, Any], name: str
) -> Iterator[Fault]:
    for key, default in _SHARED.items():
        if _plain(ssh.get(key, default)) != _plain(other.get(key, default)):
            place = shown(("projects", before, "ssh_config", key))
            yield (
                ("projects", index, "ssh_config", *((key,) if key in ssh else ())),
                (
                    f"{key} differs from {place}, and both projects are on host {name}, whose "
                    "connections they share: write the same in both"
                ),
            )
            return


def _runtime(
    index: int, project: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[Fault]:
    """A runtime that needs another machine, or cannot be had there."""
    here: Where = ("projects", index, "runtime")
    own, ssh = project.get("runtime"), project.get("ssh_config")
    if not isinstance(ssh, dict):
        if own == "ssh" and not ssh:
            yield here, "{value} needs `ssh_config`, which says where"
        elif own is None and defaults.get("runtime") == "ssh":
            yield here, "is `ssh` by `defaults.runtime`, which needs `ssh_config`, which says where"
    if isinstance(ssh, dict) and own == "process" and ssh.get("strategy") != "node":
        yield (
            here,
            (
                "{value} cannot be had over ssh, where agents live in tmux: leave `runtime` "
                "out, or write `ssh`"
            ),
        )


def _metering(index: int, project: Mapping[str, Any]) -> Iterator[Fault]:
    """A proxy, which only this machine has."""
    settings = project.get("agent_config")
    chosen = settings.get("metering") if isinstance(settings, dict) else None
    if chosen == "proxy":
        yield (
            ("projects", index, "agent_config", "metering"),
            (
                "{value} cannot be had beside `ssh_config`: the proxy runs on this machine, which "
                "agents over there do not reach; `agent` counts what the agent writes down"
            ),
        )


def _strategy(
    index: int, project: Mapping[str, Any], defaults: Mapping[str, Any], ssh: Mapping[str, Any]
) -> Iterator[Fault]:
    """A way of Claude's own, for another agent."""
    agent = project.get("agent") or defaults.get("agent") or "claude-code"
    if ssh.get("strategy") == "remote_control" and agent != "claude-code":
        yield (
            ("projects", index, "ssh_config", "strategy"),
            "{value} is of claude-code alone, and the agent is " + f"{agent}: write another",
        )


def _forge(index: int, project: Mapping[str, Any]) -> Iterator[Fault]:
    """The local forge, whose repository agents over there must reach too."""
    choice = project.get("scm_config")
    if not isinstance(choice, dict) or choice.get("plugin") != "local":
        return
    settings = choice.get("config")
    if not isinstance(settings, dict) or not settings.get("hub"):
        yield (
            ("projects", index, "scm_config"),
            (
                "needs `config.hub` beside `ssh_config`: the local forge's repository lies on this "
                "machine; write where in `hub`, and in `repo` how agents over there reach it "
                "(ssh://user@this-machine/path)"
            ),
        )


def _name(ssh: Mapping[str, Any]) -> str | None:
    host, user, port = ssh.get("host"), ssh.get("username"), ssh.get("port", 22)
    if not isinstance(host, str) or not isinstance(user, str) or not str(port).isdigit():
        return None
    return named(user, host, int(port))


def _plain(value: Any) -> Any:
    """A value by which ``30`` and ``30s`` still differ, and ``22`` and ``"22"`` do not."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return None if value is None else str(value)
