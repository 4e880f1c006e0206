"""In the supervisor, where threads are greenlets, a machine is asked as everywhere."""

from __future__ import annotations

import subprocess
import sys

from tests.ssh.bench import target_of
from tests.ssh.sshd import Sshd

PROGRAM = """
from gevent import monkey
monkey.patch_all()
import os, sys, time
import gevent
from pathlib import Path
from ennio.machine.interface import Command
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.target import LoginBy, SshTarget
host, user, port, key, known = sys.argv[1:]
machine = SshMachine(SshTarget("there", host, user, int(port), LoginBy.KEY, Path(key),
                               known_hosts=Path(known), client_config=Path("/nonexistent")))
machine.user
beats = [0]
def beat():
    while True:
        gevent.sleep(0.01)
        beats[0] += 1
gevent.spawn(beat)
asked = [gevent.spawn(machine.run, Command(("sh", "-c", f"sleep 0.5; echo {n}"))) for n in range(15)]
gevent.joinall(asked)
assert [one.value.stdout for one in asked] == [b"%d\\n" % n for n in range(15)]
assert beats[0] > 10, "everybody else went on meanwhile"
much = os.urandom(3 << 20)
assert machine.run(Command(("cat",), stdin=much)).stdout == much
assert machine.count.connections <= 3
machine.close()
print("heard")
"""


def test_greenlets_share_a_machine_and_hold_nobody_up(server: Sshd) -> None:
    target = target_of(server, server.account())
    words = [target.host, target.username, str(target.port), str(target.key)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, str(target.known_hosts)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("heard\n", 0), done.stderr
