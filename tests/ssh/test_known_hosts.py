"""Files of known hosts are read and written as OpenSSH does it, which is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ennio.machine.ssh import known_hosts
from ennio.machine.ssh.errors import LoginRefused
from ennio.machine.ssh.host_keys import HostKeyCheck
from ennio.machine.ssh.known_hosts import host_name, known_keys
from ennio.machine.ssh.target import KnownHosts
from tests.conftest import need

KIND = "ssh-ed25519"


def _key(folder: Path, name: str) -> str:
    path = folder / name
    asked = [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(asked, check=True)
    return path.with_suffix(".pub").read_text().split()[1]


def _openssh_knows(file: Path, name: str) -> bool:
    asked = [need("ssh-keygen"), "-F", name, "-f", str(file)]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("name", [host_name("studio", 22), host_name("studio", 2222)])
def test_a_host_that_is_written_down_is_known_to_openssh_and_to_us(
    tmp_path: Path, name: str, *, hashed: bool
) -> None:
    file, key = tmp_path / "ssh" / "known_hosts", _key(tmp_path, "host")
    known_hosts.add(file, "other", KIND, key, hashed=hashed)
    file.write_text(file.read_text().rstrip("\n"))  # as an editor may leave it
    known_hosts.add(file, name, KIND, key, hashed=hashed)
    assert _openssh_knows(file, name)
    assert not _openssh_knows(file, "studio2")
    (found,) = known_keys(file, name)
    assert (found.line, found.kind, found.key) == (2, KIND, key)
    assert ("studio" in file.read_text()) is not hashed
    assert known_keys(file, "studio2") == ()
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_openssh_has_hashed_is_found(tmp_path: Path) -> None:
    file, key = tmp_path / "known_hosts", _key(tmp_path, "host")
    file.write_text(f"# a comment\n\none,[two]:2222 {KIND} {key}\n")
    subprocess.run([need("ssh-keygen"), "-q", "-H", "-f", str(file)], check=True)
    assert "two" not in file.read_text()
    assert [one.key for one in known_keys(file, "[two]:2222")] == [key]
    assert known_hosts.is_hashed(file) or file.read_text().startswith("#")


def test_patterns_exceptions_and_revoked_keys_are_understood(tmp_path: Path) -> None:
    file, one, two = tmp_path / "known_hosts", _key(tmp_path, "one"), _key(tmp_path, "two")
    file.write_text(
        f"*.studio,!bad.studio {KIND} {one}\n@revoked * {KIND} {two}\n@cert-authority * {KIND} x\n"
    )
    assert [(k.key, k.revoked) for k in known_keys(file, "a.studio")] == [
        (one, False),
        (two, True),
    ]
    assert [k.key for k in known_keys(file, "bad.studio")] == [two]
    check = HostKeyCheck("a.studio", "ssh a.studio", KnownHosts.ACCEPT_NEW, file)
    check.check(KIND, one)
    with pytest.raises(LoginRefused, match=r"was revoked .*known_hosts, line 2"):
        check.check(KIND, two)


def test_a_changed_key_is_refused_with_the_line_and_the_command_that_mends_it(
    tmp_path: Path,
) -> None:
    file, old, new = tmp_path / "known hosts", _key(tmp_path, "old"), _key(tmp_path, "new")
    known_hosts.add(file, "[studio]:2222", KIND, old, hashed=True)
    check = HostKeyCheck("[studio]:2222", "ssh -p 2222 studio", KnownHosts.ACCEPT_NEW, file)
    with pytest.raises(LoginRefused) as raised:
        check.check(KIND, new)
    words = str(raised.value)
    assert f"{file}, line 1" in words
    mended = words.partition("If you know why it changed: ")[2]
    subprocess.run(["sh", "-c", mended], check=True, capture_output=True)  # what it told to do
    check.check(KIND, new)
    check.check(KIND, new)
    assert [one.key for one in known_keys(file, "[studio]:2222")] == [new]
    with pytest.raises(LoginRefused, match="not the one that is known"):
        check.check(KIND, old)


def test_strict_knows_nobody_by_itself_and_accept_all_asks_no_file(tmp_path: Path) -> None:
    file, key = tmp_path / "known_hosts", _key(tmp_path, "host")
    with pytest.raises(LoginRefused, match=r"is not known yet.*accept_new"):
        HostKeyCheck("studio", "ssh studio", KnownHosts.STRICT, file).check(KIND, key)
    HostKeyCheck("studio", "ssh studio", KnownHosts.ACCEPT_ALL, file).check(KIND, key)
    assert not file.exists()
    file.mkdir()
    with pytest.raises(LoginRefused, match="cannot be read"):
        HostKeyCheck("studio", "ssh studio", KnownHosts.ACCEPT_NEW, file).check(KIND, key)
