"""A hook over there notifies us at once; a machine whose hooks cannot is looked at as ever, and nothing
of ours stays there.
"""

from __future__ import annotations

import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ennio.hosts.observation import News
from ennio.machine.interface import Command, Overdue
from ennio.machine.news_watch import FILES, NOTIFIED
from ennio.machine.ssh import far_watch, pool
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.notify_pipe import REST
from ennio.model.errors import Unreachable
from ennio.plugins.agent import hook_script
from tests.conftest import eventually
from tests.contract.host_stage import Stand, stage_at
from tests.ssh.bench import machine_of
from tests.ssh.listening import (
    await_pipes,
    listening,
    notify,
    pipes,
    run_as,
    session_folder,
    shells,
)
from tests.ssh.relay import line_to
from tests.ssh.sshd import Account, Sshd

TRUE = Command(("true",))
MANY = """
for pipe in "$1"/.ennio/notify/*; do
 i=0; while [ $i -lt "$2" ]; do echo fix-1; i=$((i+1)); done 1<>"$pipe"; echo fix-2 1<>"$pipe"
done
"""
"""What many hooks at once come to."""


@pytest.fixture(scope="module")
def account(server: Sshd) -> Account:
    return server.account()


@pytest.fixture
def machine(server: Sshd, account: Account) -> Iterator[SshMachine]:
    made = machine_of(server, account)
    made.run(TRUE)
    yield made
    made.close()
    eventually(lambda: not shells(account), why="no shell of ours is left over there")


def _works(machine: SshMachine) -> bool:
    try:
        return machine.run(TRUE).code == 0
    except Unreachable:
        return False


def test_whose_hook_notifies_us_is_told_and_nobody_else(
    machine: SshMachine, account: Account
) -> None:
    with listening(machine, "fix-1", "fix-2") as ear:
        await_pipes(account)
        (pipe,) = pipes(account)
        assert (stat.S_IMODE(pipe.stat().st_mode), pipe.stat().st_uid) == (0o600, account.uid)
        assert stat.S_IMODE(pipe.parent.stat().st_mode) == 0o700
        notify(machine, account, "nobody-1")
        notify(machine, account, "fix-2")
        eventually(lambda: ear.words == [{"fix-2"}])
        notify(machine, account, "fix-1")
        notify(machine, account, "fix-2")
        eventually(lambda: ear.words[1:] and ear.heard == {"fix-1", "fix-2"})
    eventually(lambda: not pipes(account), why="it is taken down")


def test_a_burst_is_two_words_at_most_for_each_rest(machine: SshMachine, account: Account) -> None:
    with listening(machine, "fix-1", "fix-2") as ear:
        await_pipes(account)
        begun = time.monotonic()
        run_as(account, "sh", "-c", MANY, "sh", str(account.home), "300")
        eventually(lambda: "fix-2" in ear.heard)
        assert len(ear.words) <= 2 + (time.monotonic() - begun) / REST
        assert ear.heard == {"fix-1", "fix-2"}


def test_no_hook_waits_for_us(machine: SshMachine, account: Account) -> None:
    """More than any pipe takes, while nobody here listens."""
    watch = machine.watch()
    try:
        watch.files(("fix-2", FILES), ())
        watch.wait(0.01)
        await_pipes(account)
        run_as(account, "sh", "-c", MANY, "sh", str(account.home), "30000")
        words = list[frozenset[tuple[str, str]]]()
        eventually(lambda: words.append(watch.wait(1.0)) or words[-1] == {("fix-2", NOTIFIED)})
        assert watch.wait(2 * REST) == frozenset(), "however many wrote, it is one word"
    finally:
        watch.close()


def test_two_who_listen_hear_the_same(server: Sshd, machine: SshMachine, account: Account) -> None:
    other = machine_of(server, account)
    other.run(TRUE)
    try:
        with listening(machine, "fix-1") as one, listening(other, "fix-1") as two:
            await_pipes(account, 2)
            for _ in range(3):
                before = len(one.words), len(two.words)
                notify(machine, account, "fix-1")
                eventually(lambda: len(one.words) > before[0] and len(two.words) > before[1])  # noqa: B023
    finally:
        other.close()


# --- nothing stays there --------------------------------------------------------------------------


def test_nothing_is_over_there_before_an_agent_is_looked_at_and_after_the_last_one(
    machine: SshMachine, account: Account
) -> None:
    before = shells(account)
    with listening(machine) as ear:
        ear.watch.files(("fix-1", "place"), ())
        assert not ear.watch.process(("fix-1", "end"), os.getpid())
        assert ear.watch.wait(0.0) == frozenset()
        assert (pipes(account), shells(account)) == ([], before)
        ear.watch.files(("fix-1", FILES), ())
        await_pipes(account)
        ear.watch.forget(("fix-1", FILES))
        await_pipes(account, 0)
        eventually(lambda: shells(account) == before)


ENDS: dict[str, Callable[[Sshd, SshMachine], None]] = {
    "the connection is cut": lambda server, _: server.cut(),
    "sshd is killed": lambda server, _: server.restart(),
    "we hang up": lambda _, machine: machine.close(),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_pipe_ends_with_its_connection_and_is_there_again_on_the_next(
    server: Sshd, machine: SshMachine, account: Account, how: str
) -> None:
    with listening(machine, "fix-1") as ear:
        for _ in range(3):
            await_pipes(account)
            (first,) = pipes(account)
            ENDS[how](server, machine)
            eventually(lambda: first not in pipes(account) and not shells(account))  # noqa: B023
            assert pipes(account) == [], "it opens no connection by itself"
            eventually(lambda: _works(machine))
            await_pipes(account)
            before = len(ear.words)
            notify(machine, account, "fix-1")
            eventually(lambda: len(ear.words) > before)  # noqa: B023


def test_a_line_that_goes_dead_is_rung_over_again_once_it_is_alive(
    server: Sshd, machine: SshMachine, account: Account
) -> None:
    with line_to(server.port) as line:
        known = server.folder / f"known-{line.port}"
        known.write_text(server.known_host.replace(f":{server.port} ", f":{line.port} "))
        limits = {"patience": 3.0, "connection_timeout": 1.0}
        far = machine_of(server, account, port=line.port, known_hosts=known, **limits)
        far.run(TRUE)
        try:
            with listening(far, "fix-1") as ear:
                await_pipes(account)
                line.die()
                notify(machine, account, "fix-1")
                assert not _works(far)
                line.revive()
                eventually(lambda: _works(far))
                await_pipes(account)
                notify(machine, account, "fix-1")
                eventually(lambda: ear.heard == {"fix-1"})
        finally:
            far.close()


def test_a_pipe_that_was_left_behind_is_removed_by_the_next_and_holds_no_hook_up(
    machine: SshMachine, account: Account
) -> None:
    folder = session_folder(account, "fix-1").parents[1] / "notify"
    folder.mkdir(mode=0o700, exist_ok=True)
    account.own(folder)
    ended = subprocess.Popen(["true"])
    ended.wait()
    lives = subprocess.Popen(["sleep", "300"], **account.as_user)  # type: ignore[call-overload]
    try:
        left, ours, elsewhere = (
            folder / f"{os.uname().nodename}:{ended.pid}",
            folder / f"{os.uname().nodename}:{lives.pid}",
            folder / f"elsewhere:{ended.pid}",
        )
        for pipe in (left, ours, elsewhere):
            os.mkfifo(pipe)
            account.own(pipe)
        notify(machine, account, "fix-1")
        writing = lambda: account.processes(lambda one: any("hook.sh" in w for w in one.cmdline()))  # noqa: E731
        eventually(lambda: not writing(), why="who writes where nobody reads ends")
        with listening(machine, "fix-1") as ear:
            eventually(lambda: not left.exists())
            assert ours.exists(), "another supervisor's"
            assert elsewhere.exists(), "of another machine with this home"
            await_pipes(account, 3)
            notify(machine, account, "fix-1")
            eventually(lambda: ear.heard == {"fix-1"})
    finally:
        lives.kill()
        lives.wait()
        for pipe in (ours, elsewhere):
            pipe.unlink()


# --- where there can be none ----------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_server_that_gives_few_sessions_gives_them_to_questions(
    server: Sshd, account: Account, most: int
) -> None:
    server.configure(f"MaxSessions {most}")
    machine = machine_of(server, account)
    try:
        with listening(machine, "fix-1"):
            machine.run(TRUE)
            await_pipes(account, 0 if most < 2 else 1)
            sleeps = Command(("sleep", "0.1"))
            with ThreadPoolExecutor(6) as asking:
                done = [asking.submit(machine.run, sleeps) for _ in range(18)]
                assert {one.result(60).code for one in done} == {0}
            assert machine.count.connections <= 3
    finally:
        machine.close()
        server.configure()
    eventually(lambda: not shells(account) and not pipes(account))


@pytest.mark.parametrize("again", [0.0, 0.1])
def test_the_place_of_a_pipe_is_given_back_where_a_question_needs_it(
    server: Sshd, account: Account, monkeypatch: pytest.MonkeyPatch, again: float
) -> None:
    """Also where the server counts it still when it is asked again."""
    monkeypatch.setattr(pool, "_MOST_LINES", 1)
    monkeypatch.setattr(pool, "_AGAIN", again)
    server.configure("MaxSessions 2")
    machine = machine_of(server, account)
    try:
        with listening(machine, "fix-1") as ear:
            machine.run(TRUE)
            await_pipes(account)
            # to end it takes a session of its own
            ended = machine.run(Command(("sleep", "60"), timeout=0.2, grace=0.0))
            assert ended.overdue is Overdue.TIME
            await_pipes(account, 0)
            notify(machine, account, "fix-1")
            assert _works(machine)
            assert ear.words == []
    finally:
        machine.close()
        server.configure()


def test_where_there_can_be_no_pipe_all_else_is_as_ever(
    machine: SshMachine, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session_folder(account, "fix-1").parents[1] / "notify"
    if folder.exists():
        folder.rmdir()
    folder.write_text("no folder")
    try:
        with listening(machine, "fix-1") as ear:
            eventually(lambda: ear.watch._due > time.monotonic() + 60, why="it was refused")
            opened = machine.count.shells
            notify(machine, account, "fix-1")
            assert _works(machine)
            assert ear.watch.trouble == ""
            assert (ear.words, machine.count.shells) == ([], opened), "it is not tried again soon"
            folder.unlink()
            monkeypatch.setattr(far_watch, "_NONE", 0.0)
            ear.watch._due = 0.0
            await_pipes(account)
            notify(machine, account, "fix-1")
            eventually(lambda: ear.heard == {"fix-1"})
    finally:
        if folder.is_file():
            folder.unlink()


# --- as news of a host ----------------------------------------------------------------------------


def test_an_agent_whose_hook_notifies_us_is_news_of_its_host_and_told_apart() -> None:
    with stage_at("over ssh", "tmux and worktree") as stage:
        stand, told = Stand(stage), list[News]()
        far = stage.far
        assert far is not None
        stand.launched()
        cursor = stage.host.news("", 30).cursor
        assert not stand.is_awaited(), "it is looked at as before"
        folder = stage.home / "sessions" / stand.id
        ((hook, text),) = hook_script.files(far, folder).items()
        wait = threading.Thread(target=lambda: told.append(stage.host.news(cursor, 30)))
        wait.start()
        eventually(lambda: [*(stage.home / "notify").glob("[!.]*")], why="a pipe is read there")
        hook.write_text(text)
        hook.chmod(0o644)
        stage.run("sh", str(hook), str(folder))
        wait.join(30)
        assert [(one.sessions, one.notified) for one in told] == [((stand.id,), (stand.id,))]
        again = stage.host.news(cursor, 5)
        assert (again.sessions, again.notified) == ((stand.id,), (stand.id,)), (
            "it takes nothing away"
        )
        assert stage.host.news(again.cursor, 2 * REST).sessions == ()
        stand.clear()
