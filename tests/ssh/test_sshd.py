"""The bench itself: what tests over ssh take for granted is so."""

from __future__ import annotations

import os
import subprocess

from tests.conftest import eventually
from tests.ssh.sshd import HOST, Account, Sshd, sshd


def _asked(server: Sshd, account: Account, words: str, wait: float = 10.0) -> str:
    known = server.folder / "known"
    known.write_text(server.known_host)
    options = {
        "UserKnownHostsFile": known,
        "IdentityFile": account.key,
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
    }
    line = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    asked = ["ssh", "-F", "none", "-p", str(server.port), *line, f"{account.name}@{HOST}", words]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=wait, check=False)
    return done.stdout.strip()


def test_an_sshd_has_accounts_of_its_own_and_is_killed_frozen_and_started_again() -> None:
    with sshd() as server:
        one = server.account(bashrc="echo hello from the rc file\n")
        told = _asked(server, one, "echo $HOME; id -u; pwd -P").splitlines()
        assert told[:3] == ["hello from the rc file", str(one.home), str(one.uid)]
        if os.geteuid() == 0:
            assert (one.uid != os.geteuid(), told[3]) == (True, str(one.home))
            other = server.account(login_shell="/bin/sh")
            assert _asked(server, other, "id -un") == other.name
        server.freeze()
        try:
            _asked(server, one, "true", wait=1.0)
        except subprocess.TimeoutExpired:
            pass
        else:
            raise AssertionError("a frozen one answered")
        server.thaw()
        assert "up" in _asked(server, one, "echo up")
        server.kill()
        assert not server.greets()
        server.new_host_key()
        server.start()
        assert "up" in _asked(server, one, "echo up"), "it has another key, and is known by it"
        name = one.name
    eventually(lambda: os.geteuid() != 0 or not _is_user(name))


def _is_user(name: str) -> bool:
    return subprocess.run(["id", name], capture_output=True, check=False).returncode == 0
