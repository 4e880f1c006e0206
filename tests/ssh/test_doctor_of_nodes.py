"""What doctor asks a machine that an ennio-node is wanted on."""

from __future__ import annotations

from pathlib import Path

from ennio.cli.doctor.finding import Level
from ennio.cli.doctor.nodes import node
from ennio.cli.doctor.ownership import allows, not_ours
from ennio.config.model import AuthType, SshAuth, SshConfig
from tests.conftest import eventually
from tests.ssh.bench import machine_of
from tests.ssh.sshd import HOST, sshd

WAY = "ssh me@build"


def test_the_python_and_the_way_that_a_node_needs_are_asked_for() -> None:
    with sshd("AllowTcpForwarding no") as server:
        account = server.account()
        ssh = SshConfig(HOST, account.name, SshAuth(AuthType.KEY, account.key), server.port)
        machine = machine_of(server, account)
        try:
            python, way = node(machine, ssh, WAY)
            assert (python.level, way.level) == (Level.FINE, Level.BROKEN)
            assert "runs an ennio-node" in python.what
            assert "AllowTcpForwarding" in way.what + (way.fix or "")
            assert WAY in (way.fix or ""), "the command that leads there"
            server.configure()
            eventually(lambda: [*node(machine, ssh, WAY)][1].level is Level.FINE, 30)
        finally:
            machine.close()


def test_a_repository_of_somebody_elses_is_named_with_what_has_git_take_it(tmp_path: Path) -> None:
    place = tmp_path / "a hub.git"
    said = f"fatal: detected dubious ownership in repository at '{place}'\nTo add an exception ..."
    assert not_ours(said) == str(place)
    assert allows(str(place)) == f"git config --global --add safe.directory '{place}'"
    assert not_ours("fatal: not a git repository") is None
