"""Logging in: by every kind of proof, by way of the person's own configuration, and refused with
words that help.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ennio.machine.ssh.errors import LoginRefused
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.target import KnownHosts, LoginBy
from ennio.model.errors import Unreachable
from tests.conftest import need
from tests.ssh.bench import machine_of
from tests.ssh.sshd import HOST, Account, Sshd


@pytest.fixture(scope="module")
def account(server: Sshd) -> Account:
    return server.account()


def _uid(server: Sshd, account: Account, **more: Any) -> int:
    machine = machine_of(server, account, **more)
    try:
        machine.check()
        return machine.user
    finally:
        machine.close()


def _new_key(server: Sshd, account: Account, name: str, *words: str) -> Path:
    path = server.folder / name
    subprocess.run([need("ssh-keygen"), "-q", *words, "-f", str(path)], check=True)
    with account.keys.open("a") as keys:
        keys.write(path.with_suffix(".pub").read_text())
    return path


@contextmanager
def _agent(*keys: Path) -> Iterator[str]:
    told = subprocess.run([need("ssh-agent"), "-s"], capture_output=True, text=True, check=True)
    env = dict(
        part.split("=", 1) for part in told.stdout.replace("\n", "").split(";") if "=" in part
    )
    pid = env["SSH_AGENT_PID"]
    place = env["SSH_AUTH_SOCK"]
    try:
        for key in keys:
            subprocess.run(
                [need("ssh-add"), "-q", str(key)],
                env={**os.environ, "SSH_AUTH_SOCK": place},
                check=True,
            )
        yield place
    finally:
        os.kill(int(pid), 15)


@pytest.mark.parametrize(
    ("name", "words", "passphrase"),
    [
        ("ed25519", ("-t", "ed25519", "-N", ""), None),
        ("locked", ("-t", "ed25519", "-N", "g minor"), "g minor"),
        ("pem", ("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""), None),
        ("locked pem", ("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "g minor"), "g minor"),
        ("ecdsa", ("-t", "ecdsa", "-N", ""), None),
    ],
)
def test_a_key_lets_in_however_it_is_written(
    server: Sshd, account: Account, name: str, words: tuple[str, ...], passphrase: str | None
) -> None:
    key = _new_key(server, account, name, *words)
    assert _uid(server, account, key=key, passphrase=passphrase) == account.uid
    if passphrase:
        for wrong, why in ((None, "set auth.passphrase"), ("f minor", "cannot be opened|wrong")):
            with pytest.raises(LoginRefused, match=why):
                _uid(server, account, key=key, passphrase=wrong)


def test_an_agent_lets_in_and_its_absence_is_named(
    server: Sshd, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with _agent(account.key) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", place)
        assert _uid(server, account, by=LoginBy.AGENT, key=None) == account.uid
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    with pytest.raises(LoginRefused, match="no key"):
        _uid(server, account, by=LoginBy.AGENT, key=None)


def test_a_password_lets_in_and_a_wrong_one_does_not(server: Sshd) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give somebody a password")
    other = server.account(password="opus 27")
    by: dict[str, Any] = {"by": LoginBy.PASSWORD, "key": None}
    assert _uid(server, other, password="opus 27", **by) == other.uid
    with pytest.raises(LoginRefused, match="was refused; tried: the password"):
        _uid(server, other, password="opus 28", **by)


def test_a_key_that_is_not_there_or_not_wanted_is_refused_by_name(
    server: Sshd, account: Account, tmp_path: Path
) -> None:
    with pytest.raises(LoginRefused, match="no-key cannot be read: No such file"):
        _uid(server, account, key=tmp_path / "no-key")
    stranger = tmp_path / "stranger"
    subprocess.run(
        [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(stranger)], check=True
    )
    with pytest.raises(LoginRefused, match=rf"was refused; tried: the key {stranger}"):
        _uid(server, account, key=stranger)
    half = stranger.with_suffix(".pub")
    with pytest.raises(LoginRefused, match="is the public half of a key: name the private one"):
        _uid(server, account, key=half.rename(tmp_path / "half"))


# --- the person's own configuration ---------------------------------------------------------------


def _configured(server: Sshd, account: Account, text: str, **more: Any) -> SshMachine:
    file = server.folder / "ssh config"
    file.write_text(text)
    return machine_of(server, account, client_config=file, host="studio", **more)


def test_an_alias_of_the_persons_configuration_leads_to_the_machine(
    server: Sshd, account: Account, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    known.write_text(server.known_host.replace(f"[{HOST}]:{server.port}", "the-studio"))
    text = f"Host studio\n HostName {HOST}\n Port {server.port}\n HostKeyAlias the-studio\n"
    text += f' IdentityFile "{account.key}"\n'
    machine = _configured(
        server, account, text, port=22, known_hosts=known, by=LoginBy.AGENT, key=None
    )
    try:
        assert machine.user == account.uid
    finally:
        machine.close()


def test_a_machine_is_reached_through_another_one(server: Sshd, account: Account) -> None:
    bridge = server.account() if os.geteuid() == 0 else account
    with account.keys.open("a") as keys:
        keys.write(bridge.keys.read_text())
    text = f"Host studio\n HostName {HOST}\n Port {server.port}\n ProxyJump bridge\n"
    text += f"Host bridge\n HostName {HOST}\n Port {server.port}\n User {bridge.name}\n"
    text += f' IdentityFile "{bridge.key}"\n'
    machine = _configured(server, account, text)
    before = server.log.read_text().count(f"Accepted publickey for {bridge.name} ")
    try:
        assert machine.user == account.uid
    finally:
        machine.close()
    assert server.log.read_text().count(f"Accepted publickey for {bridge.name} ") > before


def test_a_way_that_is_not_gone_here_is_named(server: Sshd, account: Account) -> None:
    text = "Host studio\n ProxyCommand nc -X 5 %h %p\n"
    with pytest.raises(LoginRefused, match=r"ProxyCommand.*write it as ProxyJump"):
        _configured(server, account, text).check()


# --- whom one meets -------------------------------------------------------------------------------


def test_a_new_machine_is_met_once_and_known_from_then_on(
    server: Sshd, account: Account, tmp_path: Path
) -> None:
    known = tmp_path / "ssh" / "known_hosts"
    with pytest.raises(LoginRefused, match=r"is not known yet.*ssh -p \d+ .*accept_new"):
        _uid(server, account, known_hosts=known)
    assert _uid(server, account, known_hosts=known, known=KnownHosts.ACCEPT_NEW) == account.uid
    assert known.read_text() == server.known_host
    assert _uid(server, account, known_hosts=known) == account.uid
    server.new_host_key()
    server.restart()
    for policy in (KnownHosts.STRICT, KnownHosts.ACCEPT_NEW):
        with pytest.raises(LoginRefused, match=rf"{known}, line 1.*ssh-keygen -R"):
            _uid(server, account, known_hosts=known, known=policy)
    anybody = _uid(server, account, known_hosts=known, known=KnownHosts.ACCEPT_ALL)
    assert anybody == account.uid
    (server.folder / f"known-{account.name}").unlink(missing_ok=True)


def test_nobody_there_and_somebody_else_there_are_told_apart(
    server: Sshd, account: Account
) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Unreachable, match=r"no connection within 0.5 s \(connection_timeout\)"):
            _uid(server, account, port=port, connection_timeout=0.5)
    with pytest.raises(Unreachable, match=f"port {port} cannot be reached: Connection refused"):
        _uid(server, account, port=port)
