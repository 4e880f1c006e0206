"""The ``ssh`` that does for a person's terminal what Ennio's own connections do: the same user,
port, key and host keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ennio.config.model import AuthType, HostKeyPolicy, SshConfig
from ennio.machine.ssh.known_hosts import one_file

_CHECKING = {
    HostKeyPolicy.STRICT: "yes",
    HostKeyPolicy.ACCEPT_NEW: "accept-new",
    HostKeyPolicy.ACCEPT_ALL: "no",
}
_USUAL = 22
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def ssh_words(ssh: SshConfig, *, terminal: bool = True) -> tuple[str, ...]:
    """The command but for what it is to run over there. No secret is among its words: a password or
    passphrase is asked for by ssh itself.
    """
    options = {"StrictHostKeyChecking": _CHECKING[ssh.host_key_policy]}
    if ssh.known_hosts_path is not None:
        options["UserKnownHostsFile"] = one_file(ssh.known_hosts_path)
    elif ssh.host_key_policy is HostKeyPolicy.ACCEPT_ALL:
        options["UserKnownHostsFile"] = "/dev/null"
    options["ConnectTimeout"] = str(max(1, round(ssh.connection_timeout)))
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    if ssh.auth.type is AuthType.KEY and ssh.auth.path is not None:
        words += ["-i", str(ssh.auth.path), "-o", "IdentitiesOnly=yes"]
    if ssh.port != _USUAL:
        words += ["-p", str(ssh.port)]
    return ("ssh", *(("-t",) if terminal else ()), *words, f"{ssh.username}@{ssh.host.strip('[]')}")


def quoted(words: Iterable[str]) -> str:
    """These words for whatever login shell there is, zsh among them, which takes ``=name`` for
    something of its own; those that mean nothing else to any stay as they are, for a person reads
    them.
    """
    return "exec " + " ".join(
        word if _PLAIN.fullmatch(word) else _in_quotes(word) for word in words
    )


def _in_quotes(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
