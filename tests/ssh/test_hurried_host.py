"""A machine that is back is asked at once by whoever looks at it, however late it was to be tried
again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from ennio.actors import node
from ennio.config.model import AuthType, SshAuth, SshConfig
from ennio.hosts.elsewhere import HostElsewhere
from ennio.hosts.interface import Host
from ennio.machine.ssh.backoff import Backoff
from ennio.machine.ssh.machine import SshMachine
from ennio.machine.ssh.pool import ShellPool
from ennio.model.clock import SystemClock
from ennio.model.errors import Unreachable
from ennio.policy import nodes
from tests.actors.test_node import THERE, Far, House
from tests.ssh.bench import target_of
from tests.ssh.sshd import Sshd


def test_a_machine_that_is_back_is_seen_by_who_looks_at_it(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    pool = ShellPool(target_of(server, server.account()), Backoff(now=lambda: now[0]))
    machine, ssh = SshMachine(pool.target, pool), SshConfig("build", "me", SshAuth(AuthType.AGENT))
    near = cast("Host", None)  # nothing is asked that this machine would answer
    far = HostElsewhere(THERE, ssh, lambda *_: machine, SystemClock(), "contract", near)
    monkeypatch.setattr(nodes, "pause", lambda *_, **__: None)
    monkeypatch.setattr(node, "_STALE", 0.0)
    monkeypatch.setattr(node, "_SETTLED", 0.0)
    house = House(tmp_path, daemon=False, far=cast("Far", far))
    with house.opened():
        house.session()
        house.api.connect(THERE)
        house.until("connected")
        server.kill()
        try:
            for _ in range(8):
                with suppress(Unreachable):
                    pool.ask(b":\n")
                now[0] += 20.0
            with suppress(Unreachable):
                pool.ask(b":\n")
            house.until("unreachable")
        finally:
            server.start()
        now[0] += 2.0
        house.until("connected")
    far.close()
