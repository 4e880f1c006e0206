"""Reaches a machine, also by way of others, knows it by its key, and logs in."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import paramiko
from paramiko.agent import AgentSSH, get_agent_connection

from ennio.machine import places
from ennio.machine.ssh import client_config, known_hosts
from ennio.machine.ssh.client_config import SshAlias, SshJump
from ennio.machine.ssh.errors import LoginRefused, NotReached
from ennio.machine.ssh.host_keys import HostKeyCheck
from ennio.machine.ssh.target import PORT, LoginBy, SshTarget
from ennio.machine.ssh.transport import SshTransport, dialled
from ennio.model.errors import TimedOut, Unreachable
from ennio.model.failpoints import failpoint

_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


@dataclass(frozen=True, slots=True)
class SshLine:
    """A connection that is logged in, and those that it goes through."""

    transport: SshTransport
    through: tuple[SshTransport, ...] = ()

    def cut(self) -> None:
        """End it, and what it goes through."""
        for transport in (self.transport, *reversed(self.through)):
            transport.cut()


@dataclass(frozen=True, slots=True)
class _Hop:
    """One machine to log in to on the way, the last one being the one that is meant."""

    address: str
    port: int
    user: str
    check: HostKeyCheck
    by: LoginBy | None
    keys: tuple[Path, ...]
    target: SshTarget

    @property
    def login(self) -> str:
        return self.check.login


@failpoint("ssh.connect")
def log_in(target: SshTarget) -> SshLine:
    """Raises Unreachable, LoginRefused."""
    until = time.monotonic() + target.connection_timeout
    hops, made = _hops(target), list[SshTransport]()
    try:
        for hop in hops:
            made.append(_reached(hop, made[-1] if made else None, until))
    except BaseException:
        for transport in reversed(made):
            transport.cut()
        raise
    made[-1].settle(target.keepalive)
    return SshLine(made[-1], tuple(made[:-1]))


# --- the way --------------------------------------------------------------------------------------


def _hops(target: SshTarget) -> Sequence[_Hop]:
    known = client_config.alias(target.host, target.client_config)
    port = client_config.port_of(target.port, known)
    last = _hop(target, target.host, known, target.username, port, target.by)
    return [*(_jump(target, jump) for jump in known.jumps), last]


def _jump(target: SshTarget, jump: SshJump) -> _Hop:
    known = client_config.alias(jump.host, target.client_config)
    user = jump.user or known.user or target.username
    return _hop(target, jump.host, known, user, jump.port or known.port or PORT, None)


def _hop(
    target: SshTarget, host: str, known: SshAlias, user: str, port: int, by: LoginBy | None
) -> _Hop:
    name = known.host_key_alias or known_hosts.host_name(known.address, port)
    file = target.known_hosts or known.known_hosts or places.person() / ".ssh" / "known_hosts"
    words, who = ["ssh", *(["-p", str(port)] if port != PORT else [])], f"{user}@{host}"
    login = by_hand = shlex.join([*words, who])
    if target.known_hosts is not None:  # else the key would be kept where it is not looked for
        kept = f"UserKnownHostsFile={known_hosts.one_file(target.known_hosts)}"
        by_hand = shlex.join([*words, "-o", kept, who])
    check = HostKeyCheck(name, login, target.known, file, known.hashes_hosts, by_hand)
    own = (target.key,) if target.key is not None else ()
    keys = own if by is LoginBy.KEY else tuple(dict.fromkeys((*known.identities, *own)))
    return _Hop(known.address, port, user, check, by, keys, target)


def _reached(hop: _Hop, through: SshTransport | None, until: float) -> SshTransport:
    transport = _begun(hop, through, until)
    try:
        _met(transport, hop, until)
        _let_in(transport, hop, until)
    except BaseException:
        transport.cut()
        raise
    return transport


def _left(until: float, hop: _Hop) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimedOut(
            f"{hop.login}: no connection within {hop.target.connection_timeout:g} s "
            "(connection_timeout)"
        )
    return left


def _begun(hop: _Hop, through: SshTransport | None, until: float) -> SshTransport:
    left = _left(until, hop)
    try:
        if through is None:
            return SshTransport(dialled(hop.address, hop.port, left))
        place = (hop.address, hop.port)
        return SshTransport(through.open_channel("direct-tcpip", place, ("", 0), timeout=left))
    except (OSError, EOFError, paramiko.SSHException) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error) or "no answer"
        where = f"{hop.address}, port {hop.port}"
        # by way of another machine it takes a login there
        kind = NotReached if through is None else Unreachable
        raise kind(f"{hop.login}: {where} cannot be reached: {why}") from error


def _met(transport: SshTransport, hop: _Hop, until: float) -> None:
    left = _left(until, hop)
    transport.banner_timeout = transport.handshake_timeout = left
    _prefer(transport, hop.check.kinds())
    try:
        transport.start_client(timeout=left)
        key = transport.get_remote_server_key()
    except (OSError, EOFError, paramiko.SSHException) as error:
        _left(until, hop)  # it took too long
        why = str(error) or "it hung up"
        raise Unreachable(f"{hop.login}: it does not speak ssh as it should: {why}") from error
    hop.check.check(key.get_name(), key.get_base64())


def _prefer(transport: SshTransport, kinds: Sequence[str]) -> None:
    """Ask for a key of a kind that is known: a host has several."""
    known = [name for kind in kinds for name in (_RSA if kind == "ssh-rsa" else (kind,))]
    options = transport.get_security_options()
    first = [name for name in known if name in options.key_types]
    options.key_types = [*first, *(name for name in options.key_types if name not in first)]


# --- who we are -----------------------------------------------------------------------------------


def _let_in(transport: SshTransport, hop: _Hop, until: float) -> None:
    tried = list[str]()
    for what, attempt in _attempts(hop, until):
        transport.auth_timeout = _left(until, hop)
        try:
            more = attempt(transport)
        except paramiko.BadAuthenticationType as error:
            tried.append(f"{what} (it takes {', '.join(error.allowed_types)})")
        except paramiko.AuthenticationException:
            _left(until, hop)
            tried.append(what)
        except (OSError, EOFError, paramiko.SSHException) as error:
            _left(until, hop)
            raise Unreachable(f"{hop.login}: {error or 'it hung up at the login'}") from error
        else:
            if not more:
                return
            tried.append(f"{what} (it wants {', '.join(more)} besides, which cannot be given here)")
    raise LoginRefused(
        f"{hop.login} was refused; tried: {'; '.join(tried) or 'nothing, for there is no key'}. "
        "Try it by hand, and see auth in ssh_config"
    )


_Attempt = tuple[str, Callable[[SshTransport], Sequence[str]]]


def _attempts(hop: _Hop, until: float) -> Iterator[_Attempt]:
    if hop.by is LoginBy.PASSWORD:
        yield "the password", lambda to: to.auth_password(hop.user, hop.target.password or "")
    elif hop.by is LoginBy.KEY:
        yield from (_with_key(hop, path) for path in hop.keys)
    else:
        yield from _from_agent(hop, until)
        yield from _usual(hop)


def _with_key(hop: _Hop, path: Path) -> _Attempt:
    key = loaded(path, hop.target.passphrase if path == hop.target.key else None)
    return f"the key {path}", partial(_by_key, hop.user, key)


def _usual(hop: _Hop) -> Iterator[_Attempt]:
    """The keys that lie where ``ssh`` looks for them, as far as they can be had without asking."""
    folder = places.person() / ".ssh"
    for path in hop.keys or tuple(folder / name for name in _USUAL):
        try:
            yield _with_key(hop, path)
        except LoginRefused:
            continue


def _from_agent(hop: _Hop, until: float) -> Iterator[_Attempt]:
    try:
        keys: tuple[Any, ...] = _Agent(_left(until, hop)).get_keys()
    except (OSError, paramiko.SSHException) as error:
        if hop.by is LoginBy.AGENT and not hop.keys:
            place = os.environ.get("SSH_AUTH_SOCK") or "unset"
            raise LoginRefused(
                f"the ssh agent does not answer ({error}); SSH_AUTH_SOCK is {place}"
            ) from error
        return
    for key in keys:
        yield f"the agent's key {_shown(key)}", partial(_by_key, hop.user, key)


def _by_key(user: str, key: Any, to: SshTransport) -> Sequence[str]:
    return to.auth_publickey(user, key)


def _shown(key: Any) -> str:
    return str(getattr(key, "comment", "") or key.get_name())


class _Agent(AgentSSH):
    """The person's agent, which may ask them before it answers; not for longer than there is."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        connection = get_agent_connection()
        if connection is not None:
            connection.settimeout(limit)
            self._connect(connection)  # type: ignore[attr-defined]  # not in the stubs


_PUBLIC = (
    *(b"ssh-", b"ecdsa-", b"sk-ssh-", b"sk-ecdsa-"),
    *(b"---- BEGIN SSH2 PUBLIC", b"-----BEGIN PUBLIC", b"-----BEGIN RSA PUBLIC"),
)
"""How the files of public keys begin."""


def loaded(path: Path, passphrase: str | None) -> paramiko.PKey:
    """A private key, as OpenSSH or PEM writes it. Raises LoginRefused."""
    secret: Any = passphrase.encode() if passphrase else None
    try:
        return paramiko.PKey.from_path(path, secret)
    except OSError as error:
        raise LoginRefused(f"the key {path} cannot be read: {error.strerror}") from error
    except (TypeError, paramiko.PasswordRequiredException) as error:
        if passphrase:
            raise LoginRefused(f"the key {path} takes no passphrase: leave it out") from error
        raise LoginRefused(f"the key {path} is locked: set auth.passphrase") from error
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        if path.read_bytes()[:40].lstrip().startswith(_PUBLIC):
            raise LoginRefused(
                f"{path} is the public half of a key: name the private one in auth.path"
            ) from error
        raise LoginRefused(f"the key {path} cannot be opened: {error}") from error
