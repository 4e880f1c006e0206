"""What doctor says of a machine that is not believed: the command it shows mends it."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from ennio.cli.doctor.finding import Finding, Level
from ennio.cli.doctor.hosts import hosts
from ennio.config.model import AuthType, Config, Project, SshAuth, SshConfig
from tests.conftest import need
from tests.ssh.sshd import HOST, Sshd


def test_a_machine_that_is_not_known_and_one_whose_key_has_changed_are_mended_by_what_is_shown(
    server: Sshd, tmp_path: Path
) -> None:
    account, known = server.account(), tmp_path / "known hosts"
    auth = SshAuth(AuthType.KEY, account.key)
    ssh = SshConfig(HOST, account.name, auth, server.port, known_hosts_path=known)
    project = Project("far", "Far", "r", Path("/srv/far"), ssh=ssh)
    config = Config(tmp_path / "ennio.yaml", tmp_path, projects=(project,))

    def told() -> Finding:
        return hosts(config)[0]

    unknown = told()
    assert unknown.level is Level.BROKEN
    assert "is not known yet" in unknown.what
    program, *words = shlex.split(unknown.fix)
    # what a person does, who compares the key and answers yes
    yes = ("-o", "StrictHostKeyChecking=accept-new", "-i", str(account.key))
    subprocess.run([need(program), *yes, *words], check=True, capture_output=True, timeout=60)
    assert told().what.endswith("answers, and lets us in")
    server.new_host_key()
    server.restart()
    changed = told()
    assert "is not the one that is known" in changed.what
    assert changed.fix.endswith("  (if you know why it changed)")
    forgets = changed.fix.partition("  (")[0]
    subprocess.run(["sh", "-c", forgets], check=True, capture_output=True, timeout=60)
    assert "is not known yet" in told().what
