"""Whatever shell somebody logs in to, and whatever it prints, the answers are the same."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from ennio.machine.interface import Command, FilePart, FileSpan
from ennio.model.errors import Unreachable
from tests.conftest import eventually, lacking
from tests.ssh.bench import machine_of
from tests.ssh.listening import await_pipes, listening, notify, pipes, shells
from tests.ssh.sshd import Account, Sshd

NOISE = "echo Good day; echo and more >&2; printf 'no end of line'\n"
SETTINGS = {
    "bash": (".bashrc", NOISE),
    "fish": (".config/fish/config.fish", NOISE),
    "tcsh": (".tcshrc", "echo Good day\nset prompt = x\n"),
    "busybox": ("", ""),
}
HOSTILE = "a'b\"c`d$(e)\\f\n;&|<>*?[]{}~#!\t -x \udcff"


def _account(server: Sshd, shell: str) -> Account:
    if os.geteuid() != 0:
        lacking("only root has users with other shells: they were NOT tested")
    path = shutil.which(shell)
    if path is None:
        lacking(f"{shell} is not installed: it was NOT tested as a login shell")
    if shell == "busybox":  # it is a shell by its name
        path = str(server.folder / "ash")
        with suppress(FileExistsError):
            os.symlink(shutil.which(shell) or "", path)
    account = server.account(login_shell=path)
    name, text = SETTINGS[shell]
    if name:
        file = account.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for made in (file, file.parent, file.parent.parent):
            if made.is_relative_to(account.home):
                account.own(made)
    return account


@pytest.mark.parametrize("shell", SETTINGS)
def test_a_login_shell_of_any_kind_with_settings_that_print_changes_no_answer(
    server: Sshd, shell: str
) -> None:
    banner = server.folder / "banner"
    banner.write_text("Whoever logs in is watched.\n" * 20)
    server.configure(f"Banner {banner}")
    account = _account(server, shell)
    machine = machine_of(server, account)
    try:
        for _ in range(2):
            done = machine.run(Command(("printf", "%s|", HOSTILE, ""), cwd=str(account.home)))
            told = f"{HOSTILE}||".encode("utf-8", "surrogateescape")
            assert (done.code, done.stdout, done.stderr) == (0, told, b"")
        place = account.home / Path(HOSTILE.replace("/", "")).name
        machine.write(place, b"one\0two")
        (part,) = machine.read([FileSpan(place)])
        assert isinstance(part, FilePart)
        assert part.data == b"one\0two"
        assert machine.home == account.home
        assert "HOME" in machine.environ
    finally:
        machine.close()


@pytest.mark.parametrize("shell", SETTINGS)
def test_hooks_notify_whoever_logs_in_to_any_of_them(server: Sshd, shell: str) -> None:
    account = _account(server, shell)
    machine = machine_of(server, account)
    try:
        machine.check()
        with listening(machine, "fix-1") as ear:
            await_pipes(account)
            notify(machine, account, "fix-1")
            eventually(lambda: ear.heard == {"fix-1"})
    finally:
        machine.close()
    eventually(lambda: not shells(account) and not pipes(account))


def test_one_that_may_run_no_commands_is_told_by_its_own_words(server: Sshd) -> None:
    account = _account_without_a_shell(server)
    machine = machine_of(server, account)
    with pytest.raises(Unreachable, match=r"runs no commands.*not available"):
        machine.check()
    machine.close()


def _account_without_a_shell(server: Sshd) -> Account:
    if os.geteuid() != 0:
        lacking("only root has users without a shell: they were NOT tested")
    return server.account(login_shell=shutil.which("nologin", path="/usr/sbin:/sbin") or "nologin")
