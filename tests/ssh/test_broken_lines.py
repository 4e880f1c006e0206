"""A machine that cannot be asked ends every question in Unreachable, in its time, and is found
again by itself.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ennio.machine.interface import Command, Overdue
from ennio.machine.ssh.backoff import Backoff, Surroundings, clocks_apart
from ennio.machine.ssh.errors import LoginRefused, NotReached
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.pool import ShellPool
from ennio.model.errors import Unreachable
from tests.conftest import eventually
from tests.ssh.bench import machine_of, target_of
from tests.ssh.namespace import namespace
from tests.ssh.relay import Line, line_to
from tests.ssh.sshd import Account, Sshd

TRUE = Command(("true",))
PATIENCE = 3.0
LIMIT = 20.0


@pytest.fixture(scope="module")
def account(server: Sshd) -> Account:
    return server.account()


@pytest.fixture
def machine(server: Sshd, account: Account) -> Iterator[SshMachine]:
    made = machine_of(server, account, patience=PATIENCE, connection_timeout=5.0)
    yield made
    made.close()


@pytest.fixture
def patient(server: Sshd, account: Account) -> Iterator[SshMachine]:
    made = machine_of(server, account)
    yield made
    made.close()


def _is_unreachable(ask: Callable[[], object]) -> str:
    begun = time.monotonic()
    with pytest.raises(Unreachable) as raised:
        ask()
    assert time.monotonic() - begun < LIMIT
    return str(raised.value)


def _works(machine: SshMachine) -> bool:
    try:
        return machine.run(TRUE).code == 0
    except Unreachable:
        return False


def test_a_killed_sshd_is_found_again_as_soon_as_it_is_back(
    server: Sshd, machine: SshMachine
) -> None:
    eventually(lambda: _works(machine))
    waiting = list[str]()

    def wait() -> None:
        waiting.append(_is_unreachable(lambda: machine.run(Command(("sleep", "60"), timeout=60))))

    asking = threading.Thread(target=wait)
    asking.start()
    eventually(lambda: any(one.name == "sleep" for one in machine.others()))
    server.kill()
    asking.join(LIMIT)
    assert ["broke off" in words for words in waiting] == [True]
    assert "Connection refused" in _is_unreachable(lambda: machine.run(TRUE))
    made = machine.count.connections
    told = {_is_unreachable(lambda: machine.run(TRUE)) for _ in range(3)}
    assert len(told) == 1, "what is kept and shown counts no seconds down"
    assert "Connection refused" in told.pop()
    assert machine.count.connections == made
    server.start()
    eventually(lambda: _works(machine))


def test_connections_that_were_cut_are_opened_again_unnoticed(
    server: Sshd, patient: SshMachine
) -> None:
    assert _works(patient)
    server.cut()
    eventually(lambda: _works(patient))
    assert patient.count.connections == 2


def test_a_line_that_breaks_in_the_middle_of_a_question_leaves_no_folder_there(
    server: Sshd, account: Account, patient: SshMachine
) -> None:
    before = set(Path("/dev/shm").glob("ennio-*"))

    def left() -> list[Path]:
        found = []
        for one in set(Path("/dev/shm").glob("ennio-*")) - before:
            with contextlib.suppress(FileNotFoundError):
                found += [one] if one.stat().st_uid == account.uid else []
        return found

    waits = Command(("sleep", "1.5"))
    asking = threading.Thread(target=lambda: _lost(patient, waits))
    asking.start()
    eventually(left, why="it is in the middle of it")
    server.cut()
    asking.join(LIMIT)
    eventually(lambda: left() == [], why="what the question kept there is gone")


def _lost(machine: SshMachine, command: Command) -> None:
    with contextlib.suppress(Unreachable):
        machine.run_all([command, command])


def test_a_frozen_sshd_holds_nobody_up_for_long(server: Sshd, machine: SshMachine) -> None:
    eventually(lambda: _works(machine))
    server.freeze()
    try:
        asked: list[Callable[[], object]] = [
            lambda: machine.run(TRUE),
            lambda: machine.write(machine.home / "file", b"x" * (1 << 20)),
            lambda: machine.connect(1, 1.0),
        ]
        for ask in asked:
            _is_unreachable(ask)
    finally:
        server.thaw()
    eventually(lambda: _works(machine))


def test_a_line_that_carries_nothing_any_more_holds_nobody_up(
    server: Sshd, account: Account
) -> None:
    with line_to(server.port) as line:
        machine = _through(line, server, account)
        try:
            eventually(lambda: _works(machine))
            line.die()
            _is_unreachable(
                lambda: machine.run(Command(("true",), stdin=b"\0" * (8 << 20), timeout=1))
            )
            _is_unreachable(lambda: machine.run(TRUE))
            line.revive()
            eventually(lambda: _works(machine))
        finally:
            machine.close()


def _through(line: Line, server: Sshd, account: Account) -> SshMachine:
    known = server.folder / f"known-{line.port}"
    known.write_text(server.known_host.replace(f":{server.port} ", f":{line.port} "))
    limits = {"patience": PATIENCE, "connection_timeout": 1.0}
    return machine_of(server, account, port=line.port, known_hosts=known, **limits)


def test_a_command_that_is_silent_for_long_is_no_dead_line(machine: SshMachine) -> None:
    begun = time.monotonic()
    done = machine.run(Command(("sh", "-c", "sleep 3.2; echo up"), timeout=20))
    assert (done.stdout, done.overdue) == (b"up\n", None)
    assert time.monotonic() - begun > PATIENCE, "longer than the machine may be silent otherwise"
    done = machine.run(Command(("sleep", "60"), timeout=0.2, grace=0.2))
    assert done.overdue is Overdue.TIME
    assert machine.count.connections == 1


@pytest.mark.parametrize("most", [1, 2])
def test_a_server_that_gives_few_sessions_is_asked_through_those(
    server: Sshd, account: Account, most: int
) -> None:
    server.configure(f"MaxSessions {most}")
    machine = machine_of(server, account)
    try:
        wrong = list[Unreachable]()

        def ask() -> None:
            try:
                for _ in range(3):
                    machine.run(Command(("sleep", "0.05")))
            except Unreachable as error:
                wrong.append(error)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert wrong == []
        # one that needs a second one to be ended has to wait for that, and does not for good
        ended = machine.run(Command(("sleep", "60"), timeout=0.2, grace=0.0))
        assert ended.overdue is Overdue.TIME
    finally:
        machine.close()
        server.configure()


# --- when it is tried again -----------------------------------------------------------------------


def test_attempts_come_later_and_later_and_at_once_after_sleep_or_a_move() -> None:
    seen = [Surroundings(100.0, frozenset({"lo 127.0.0.1"}))]
    now = [0.0]
    waits = Backoff(lambda: seen[-1], lambda: now[0])
    waits.check()
    lasts = []
    for _ in range(8):
        waits.failed(Unreachable("nobody there"))
        begun = now[0]
        while _waits(waits):
            now[0] += 0.25
        lasts.append(now[0] - begun)
    assert lasts == sorted(lasts)[: len(lasts)] or max(lasts) <= 30.25
    assert lasts[0] <= 1.25 < lasts[2] < lasts[4]
    assert max(lasts) <= 30.25, "it is tried for good"
    for after in (
        Surroundings(3700.0, seen[0].network),  # an hour of sleep
        Surroundings(3700.0, frozenset({"lo 127.0.0.1", "wlan0 192.0.2.7"})),
    ):
        waits.failed(Unreachable("nobody there"))
        assert _waits(waits)
        seen.append(after)
        assert not _waits(waits)


def _waits(waits: Backoff) -> bool:
    try:
        waits.check()
    except Unreachable:
        return True
    return False


def test_a_refused_login_is_not_tried_so_often_that_the_host_locks_it_out() -> None:
    waits = Backoff(lambda: Surroundings(0.0, frozenset()))
    waits.failed(LoginRefused("no"))
    with pytest.raises(LoginRefused, match=r"^no$"):
        waits.check()
    waits.clear()
    waits.check()


AWAY = NotReached("nobody there")


@pytest.mark.parametrize(
    ("error", "longest"), [(AWAY, 10.0), (Unreachable("it hung up"), 30.0), (LoginRefused(), 300.0)]
)
def test_what_costs_a_packet_is_tried_more_often_than_what_a_machine_may_count(
    error: Unreachable, longest: float
) -> None:
    now = [0.0]
    waits = Backoff(lambda: Surroundings(0.0, frozenset()), lambda: now[0])
    for _ in range(12):
        waits.failed(error)
        begun = now[0]
        while _waits(waits):
            now[0] += 0.25
    assert 0.7 * longest < now[0] - begun <= longest + 0.25


def test_who_waits_hurries_what_is_away_and_not_what_refused_us() -> None:
    now = [0.0]
    waits = Backoff(lambda: Surroundings(0.0, frozenset()), lambda: now[0])
    for error, hurried in (
        (AWAY, True),
        (Unreachable("it hung up"), False),
        (LoginRefused(), False),
    ):
        for _ in range(8):
            waits.failed(error)
        waits.hurry()
        now[0] += 0.5
        assert _waits(waits), "a moment after an attempt nothing has changed"
        now[0] += 1.0
        assert _waits(waits) is not hurried, error
        waits.clear()
        waits.hurry()
        assert not _waits(waits)


def test_interfaces_that_come_and_go_are_no_reason_to_log_in_again_and_again() -> None:
    seen, now = [Surroundings(0.0, frozenset({"lo"}))], [0.0]
    waits = Backoff(lambda: seen[-1], lambda: now[0])
    for _ in range(3):
        waits.failed(LoginRefused("no"))
    seen.append(Surroundings(0.0, frozenset({"lo", "veth0"})))
    assert _waits(waits)
    now[0] += 30.0
    assert not _waits(waits), "and it may be another machine that is called so there"


def test_a_way_out_and_a_cable_count_as_the_network() -> None:
    with namespace() as net:

        def seen() -> str:
            words = "from ennio.machine.ssh.backoff import surroundings as now\n"
            words += "print(sorted(now().network))"
            told = subprocess.run(
                [*net.within, sys.executable, "-c", words],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                check=True,
                text=True,
                timeout=60,
            )
            return told.stdout

        known = eventually(lambda: (told := seen()) == seen() and told)
        net.lead_out()
        led = seen()
        assert led != known
        net.unplug()
        assert eventually(lambda: (told := seen()) == seen() and told) not in (led, known)


def test_how_a_machine_is_not_reached_tells_what_another_attempt_costs(
    server: Sshd, machine: SshMachine
) -> None:
    stranger = server.account()
    refused = machine_of(server, stranger, key=server.account().key, connection_timeout=5.0)
    with pytest.raises(LoginRefused):
        refused.run(TRUE)
    with line_to(server.port) as line:
        server.kill()
        try:
            with pytest.raises(NotReached):
                machine.run(TRUE)
            through = _through(line, server, server.account())
            with pytest.raises(Unreachable) as hung_up:
                through.run(TRUE)
            assert type(hung_up.value) is not NotReached, "it was taken in"
        finally:
            server.start()


def test_a_machine_that_is_back_is_asked_at_once_where_somebody_waits(
    server: Sshd, account: Account
) -> None:
    now = [0.0]
    pool = ShellPool(target_of(server, account), Backoff(now=lambda: now[0]))
    machine = SshMachine(pool.target, pool)
    server.kill()
    try:
        for _ in range(6):
            _is_unreachable(lambda: machine.run(TRUE))
            now[0] += 20.0
        _is_unreachable(lambda: machine.run(TRUE))
    finally:
        server.start()
    now[0] += 2.0
    _is_unreachable(lambda: machine.run(TRUE))
    machine.hurry()
    assert machine.run(TRUE).code == 0
    machine.close()


def test_who_asks_while_it_is_tried_again_hears_before_long_why_it_failed(
    server: Sshd, account: Account
) -> None:
    failed = Backoff(now=lambda: 0.0 if not over else 100.0)
    over = list[bool]()
    failed.failed(NotReached("as it was before"))
    over.append(True)
    with line_to(server.port) as line:
        line.die()
        known = server.folder / f"known-{line.port}"
        known.write_text(server.known_host.replace(f":{server.port} ", f":{line.port} "))
        more = {"port": line.port, "known_hosts": known, "connection_timeout": 10.0}
        pool = ShellPool(target_of(server, account, **more), failed)
        told = list[str]()
        asking = [
            threading.Thread(target=lambda: told.append(_is_unreachable(lambda: pool.ask(b":\n"))))
            for _ in range(2)
        ]
        for one in asking:
            one.start()
        for one in asking:
            one.join(60)
        assert told[0] == "as it was before"
        assert "connection_timeout" in told[1]


def test_a_machine_that_slept_does_not_believe_its_old_connections(
    patient: SshMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _works(patient)
    apart = clocks_apart()
    monkeypatch.setattr("ennio.machine.ssh.pool.clocks_apart", lambda: apart + 3600.0)
    assert _works(patient)
    assert _works(patient)
    assert patient.count.connections == 2
