"""What a machine is called that projects are run on over ssh, everywhere: in the store, in the API
and in the names of those who look there.
"""

from __future__ import annotations

from collections.abc import Mapping

from ennio.config.model import Config, Project, SshConfig

_SSH_PORT = 22


def host_name(ssh: SshConfig) -> str:
    """``user@host``, with ``:port`` where that is not the usual one: all that two projects must
    share to be on one host. An address with colons stands in brackets.
    """
    return named(ssh.username, ssh.host, ssh.port)


def named(username: str, host: str, port: int = _SSH_PORT) -> str:
    """The same of its parts."""
    bare = host.strip("[]").lower()
    shown = f"[{bare}]" if ":" in bare else bare
    return f"{username}@{shown}" + ("" if port == _SSH_PORT else f":{port}")


def host_of(project: Project) -> str:
    """The name of the host that a project's sessions are on; empty for this machine."""
    return "" if project.ssh is None else host_name(project.ssh)


def limits_of_hosts(config: Config) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many sessions may run on each host, and how much memory must be free there, of those
    hosts of which it is said. Projects on one host say the same of it.
    """
    said = {host_name(each.ssh): each.ssh for each in config.projects if each.ssh is not None}
    sessions = {
        name: ssh.max_sessions for name, ssh in said.items() if ssh.max_sessions is not None
    }
    memory = {
        name: ssh.min_free_memory for name, ssh in said.items() if ssh.min_free_memory is not None
    }
    return sessions, memory
