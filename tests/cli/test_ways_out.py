"""The way out that ``ennio doctor`` prints under a finding, done word by word: it heals it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil
import pytest

from ennio.cli.process import is_supervisor
from ennio.http.address import read, running
from ennio.machine.home import Home
from tests.cli.sick import Sick, refused, runs
from tests.conftest import eventually, need


def _no_file(sick: Sick) -> None:
    (sick.folder / "ennio.yaml").unlink()
    sick.sh(f"git remote add origin {sick.folder}")


def _no_clone(sick: Sick) -> None:
    sick.write(path=f"'{sick.place.home / 'some where'}'")


def _no_commit(sick: Sick) -> None:
    empty = sick.place.home / "empty one"
    sick.place.git("init", "-q", "-b", "trunk", str(empty))
    (empty / "README").write_text("x")
    sick.write(repo=f'"{empty}"', path=f'"{empty}"')


def _nothing_pushed(sick: Sick) -> None:
    hub = sick.place.home / "empty hub.git"
    sick.place.git("init", "-q", "--bare", "-b", "main", str(hub))
    sick.write(repo=f'"{hub}"')


def _nobody(sick: Sick) -> None:
    for name in [name for name in sick.env if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        del sick.env[name]
    (sick.place.home / ".gitconfig").write_text("[user]\n  useConfigOnly = true\n")


def _no_folder(sick: Sick) -> None:
    need("bwrap")
    missing = sick.place.home / "cache of mine"
    sick.write(more=f', isolation: bubblewrap, sandbox: {{writable: ["{missing}"]}}')


def _not_trusted(sick: Sick) -> None:
    sick.env["ENNIO_TRUSTED_CONFIG_PATHS"] = ""
    sick.write(more=", post_create: [echo hello]")


def _lost_hub(sick: Sick) -> None:
    hub = sick.place.home / "hub of mine.git"
    sick.write(repo=f'"{hub}"', more=", scm_config: {plugin: local}")


def _somebody_elses_hub(sick: Sick) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else")
    hub = sick.place.home / "hub.git"
    sick.place.git("clone", "-q", "--bare", ".", str(hub))
    for each in (hub, *hub.rglob("*")):
        os.lchown(each, 65534, 65534)
    sick.write(repo=str(hub), more=", scm_config: {plugin: local}")


def _ended_without_a_word(sick: Sick) -> None:
    assert sick.sh("ennio start --detach").returncode == 0
    directory = Home(sick.place.home / "ennio").run(sick.folder / "ennio.yaml")
    address = read(directory)
    assert address is not None
    for one in [*psutil.Process(address.pid).children(recursive=True), psutil.Process(address.pid)]:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    eventually(lambda: running(directory) is None)


def _supervisors(sick: Sick) -> list[psutil.Process]:
    directory = Home(sick.place.home / "ennio").run(sick.folder / "ennio.yaml")
    address = read(directory)
    assert address is not None
    above = psutil.Process(address.pid)
    return [one for one in (above, *above.children()) if is_supervisor(one.pid)]


def _stopped_as_a_whole(sick: Sick) -> None:
    assert sick.sh("ennio start --detach").returncode == 0
    for one in _supervisors(sick):
        one.suspend()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_no_file, "there is no ennio.yaml here"),
        (_no_clone, "is no git repository"),
        (_no_commit, "yet, nor any other to begin from"),
        (_nothing_pushed, "yet, nor any other to begin from"),
        (_nobody, "git does not know who you are"),
        (_no_folder, "which is not there"),
        (_not_trusted, "the configuration is not trusted"),
        (_lost_hub, "cannot be read: there is none"),
        (_somebody_elses_hub, "it belongs to somebody else"),
        (_ended_without_a_word, "ended without tidying up"),
        (_stopped_as_a_whole, "does not answer"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_finding_is_healed_by_what_is_printed_under_it(
    sick: Sick, broken: Callable[[Sick], None], words: str
) -> None:
    broken(sick)
    sick.heals(words)


def test_a_supervisor_that_does_not_find_an_agent_is_begun_anew(sick: Sick) -> None:
    agents = sick.place.home / "agents"
    agents.mkdir()
    (agents / "codex").write_text("#!/bin/sh\necho codex-cli 1.2.3\n")
    (agents / "codex").chmod(0o755)
    sick.write(more=", agent: codex")
    assert sick.sh("ennio start --detach").returncode == 0
    sick.env["PATH"] = f"{agents}:{sick.env['PATH']}"
    order = "ennio spawn app -p hello --dry-run"
    said = refused(sick, order, "codex is not installed")
    assert sick.heals("but not by the supervisor") in said
    done = sick.sh(order)
    assert done.returncode == 0, done


def test_a_channel_that_nobody_answered_is_tested_once_somebody_does(sick: Sick) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Taken)
    top = f"notifiers: [{{plugin: webhook, name: hook, config: {{url: 'http://127.0.0.1:{server.server_port}/'}}}}]\n"
    server.server_close()
    sick.write(top=top)
    runs(sick)
    way = sick.finds("notifiers[hook] cannot be reached").rpartition("then: ")[2]
    assert sick.sh(way).returncode != 0
    with HTTPServer(("127.0.0.1", server.server_port), _Taken) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        done = sick.sh(way)
        assert done.returncode == 0, done
        assert "notifiers[hook]" not in " ".join(sick.doctor())
        server.shutdown()


class _Taken(BaseHTTPRequestHandler):
    """Takes whatever it is told."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


def test_a_terminal_of_no_session_is_ended(sick: Sick) -> None:
    tmux, home = need("tmux"), Home(sick.place.home / "ennio")
    socket = home.tmux_socket_of(home.run(sick.folder / "ennio.yaml").name)
    assert sick.sh("ennio start --detach").returncode == 0
    for name in ("stray", "kept"):
        done = sick.sh(f"{tmux} -L {socket} new-session -d -s {name} sleep 600")
        assert done.returncode == 0, done.stderr
    try:
        command = sick.heals("terminal(s) belong to no session known here: kept, stray")
        assert command.endswith("kill-session -t =kept")
        sick.heals("terminal(s) belong to no session known here: stray")
    finally:
        sick.sh(f"{tmux} -L {socket} kill-server")


def test_a_supervisor_that_does_not_end_is_killed_by_force_and_its_agents_go_on(
    sick: Sick,
) -> None:
    assert sick.sh("ennio start --detach").returncode == 0
    spawned = sick.sh('ennio spawn app -p "wait for me" --wait --json')
    session = json.loads(spawned.stdout)["id"]
    before = _supervisors(sick)
    ended = sick.sh("ennio stop --force --timeout 0 --json")
    assert (ended.returncode, json.loads(ended.stdout)["killed"]) == (0, True), ended
    assert not [one for one in before if is_supervisor(one.pid)]
    assert sick.sh("ennio start --detach").returncode == 0
    found = json.loads(sick.sh("ennio status --json --all").stdout)["sessions"]
    (there,) = (one["status"] for one in found if one["id"] == session)
    assert there not in ("exited", "killed")
    assert sick.sh(f"ennio session kill {session}").returncode == 0
