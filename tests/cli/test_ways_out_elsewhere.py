"""The way out that is printed where another machine, a server or another Ennio has a part in it."""

from __future__ import annotations

import json

from tests.cli.sick import Sick, refused, runs, way_out
from tests.postgres import Server
from tests.ssh.sshd import HOST, sshd


def test_git_over_there_is_told_who_commits(sick: Sick) -> None:
    with sshd() as server:
        account, known = server.account(), sick.place.home / "known hosts"
        known.write_text(server.known_host)
        (account.home / ".gitconfig").write_text("[user]\n  useConfigOnly = true\n")
        account.own(account.home / ".gitconfig")
        key = f"auth: {{type: key, path: {account.key}}}, known_hosts_path: '{known}'"
        there = f"{{host: {HOST}, port: {server.port}, username: {account.name}, {key}}}"
        sick.write(path="/nowhere", more=f", runtime: tmux, ssh_config: {there}")
        way = sick.heals("git does not know who you are there")
        assert way.startswith("ssh ")
        assert "you@example.org" in (account.home / ".gitconfig").read_text()


def test_a_server_that_another_folder_works_on_is_had_once_that_one_is_stopped(
    sick: Sick, postgres: Server
) -> None:
    sick.write(top=f"database_url: {postgres.made()}\n")
    other = sick.place.home.parent / "work" / "another"
    other.mkdir()
    (other / "ennio.yaml").write_text((sick.folder / "ennio.yaml").read_text())
    begun = sick.sh(f"cd {other} && ennio start --detach")
    assert begun.returncode == 0, begun
    said = refused(sick, "ennio start --detach", "another supervisor works on postgresql://")
    done = sick.sh(f"cd {other} && {way_out(said)}")
    assert done.returncode == 0, done
    runs(sick)


def test_a_supervisor_of_another_version_is_begun_anew(sick: Sick) -> None:
    older = sick.place.home / "older"
    older.mkdir()
    (older / "sitecustomize.py").write_text('import ennio\n\nennio.__version__ = "0.1.9"\n')
    begun = sick.sh(f'PYTHONPATH="{older}:$PYTHONPATH" ennio start --detach')
    assert begun.returncode == 0, begun

    def told() -> dict[str, str]:
        found = json.loads(sick.sh("ennio upgrade-check --json").stdout)["findings"]
        return {one["what"]: one["fix"] for one in found if one["level"] != "fine"}

    (what, fix), *rest = told().items()
    assert "the supervisor that runs is Ennio 0.1.9" in what
    assert not rest
    done = sick.sh(fix.partition("  (")[0])
    assert done.returncode == 0, (fix, done)
    assert not told()
