"""What leads into a sandbox and out of it, on purpose: the hook, a port, the terminal, and its end;
and what is refused because it cannot be kept apart.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ennio.hosts.brief import Brief, HookAddress, SandboxSpec
from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.session_results import Launched
from ennio.model.errors import Refused
from ennio.model.isolation import NetworkAccess
from ennio.plugins.agent import hook
from ennio.plugins.registry import Registry
from tests.conftest import eventually, need
from tests.sandbox.bench import SECRET, Bench, bench, listening, python

RINGS = """
import json, os, subprocess, sys, socket
folder = os.path.dirname(os.environ["ENNIO_PROMPT_FILE"])
told = json.dumps({"hook_event_name": "Stop", "session_id": "x"})
subprocess.run([sys.executable, "-I", "-S", sys.argv[1], folder], input=told.encode())
got = ""
if sys.argv[2] != "0":
    with socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5) as there:
        got = there.recv(100).decode()
open("told.json", "w").write(json.dumps({"got": got, "hooks": os.listdir(folder)}))
"""
STAYS = r"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve("/bin/sh", ["sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done"], {})
        os._exit(0)
open("ready", "w").write("x")
print("size", os.get_terminal_size(), flush=True)
while True:
    line = sys.stdin.readline()
    print("heard", line.strip(), os.get_terminal_size(), flush=True)
"""


@pytest.fixture(scope="module")
def ground() -> Iterator[Bench]:
    with bench() as made:
        yield made


def _program(ground: Bench, name: str, text: str) -> str:
    file = ground.home.session(name) / "agent" / "program.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return str(file)


def test_a_hook_is_heard_and_its_token_never_seen_inside(ground: Bench) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                guest, _ = server.accept()
                heard.append(guest.recv(4096))
                guest.sendall(b"HTTP/1.1 204 ")
                guest.close()

        threading.Thread(target=serve, daemon=True).start()
        program = _program(ground, "rings", RINGS)
        argv = python(program, hook.__file__, "0")
        brief = ground.brief("rings", argv, SandboxSpec(NetworkAccess.NONE))
        hooks = HookAddress("127.0.0.1", server.getsockname()[1], "/look", SECRET)
        told = ground.run(brief, hooks)
        eventually(lambda: heard)
    assert heard[0].startswith(b"POST /look ")
    assert f"Bearer {SECRET}".encode() in heard[0]
    assert "hooks.jsonl" in told["hooks"]
    assert "bell.json" not in told["hooks"]


def test_a_port_of_this_machine_is_led_in_where_it_was_named(ground: Bench) -> None:
    with listening(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = _program(ground, "port", RINGS)
        argv = python(program, hook.__file__, str(port))
        brief = ground.brief("port", argv, SandboxSpec(NetworkAccess.LOOPBACK, ports=(port,)))
        assert ground.run(brief)["got"] == SECRET


@pytest.fixture(params=["process", "tmux"])
def staying(
    ground: Bench, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Brief, Launched]]:
    """A session that does not want to end."""
    need("tmux")
    name, runtime = f"stays-{request.param}", request.param
    monkeypatch.setenv("ENNIO_TMUX_SOCKET", f"ennio-sandbox-{os.getpid()}")
    host = PluginHost(Registry(ground.home, ground.clock), ground.home, ground.clock)
    monkeypatch.setattr(ground, "host", host)
    program = _program(ground, name, STAYS)
    brief = ground.brief(name, python(program), SandboxSpec(), runtime=runtime)
    ground.make(brief)
    launched = ground.launch(brief)
    brief = replace(brief, handle=launched.handle)
    eventually((ground.workspace(brief) / "ready").exists)
    yield brief, launched
    host.stop(brief, launched=True)
    host.close()


def _presence(host: PluginHost, brief: Brief, launched: Launched) -> str:
    seen = host.survey(brief.runtime, {brief.session_id: launched.handle}).processes
    return str(seen[brief.session_id].presence)


def test_its_terminal_is_typed_to_resized_and_ended_with_all_that_is_inside(
    ground: Bench, staying: tuple[Brief, Launched]
) -> None:
    brief, launched = staying
    host = ground.host
    assert _presence(host, brief, launched) == "alive"
    host.resize(brief, 101, 31)
    host.type_keys(brief, b"hello\r", paste=False)
    eventually(lambda: "heard hello" in host.output(brief, 60))
    assert "columns=101, lines=31" in host.output(brief, 60)
    outer = psutil.Process(int(launched.handle.data["pid"]))
    inside = outer.children(recursive=True)
    assert len(inside) >= 5, "bubblewrap twice, the agent, and two who left its session"
    host.stop(brief, launched=True)
    assert not [one for one in (outer, *inside) if _lives(one)]


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_supervisor_that_comes_later_finds_it_alive(
    ground: Bench, staying: tuple[Brief, Launched]
) -> None:
    brief, launched = staying
    later = PluginHost(Registry(ground.home, ground.clock), ground.home, ground.clock)
    assert _presence(later, brief, launched) == "alive"
    assert later.launch(brief, 1, _hooks(), "{}", resume=False, carry=None).handle.data == (
        launched.handle.data
    ), "the same order finds the same launch"
    assert "attach" in " ".join(later.attach_command(brief))
    later.close()


def _hooks() -> HookAddress:
    return HookAddress("127.0.0.1", 9, "/hook", SECRET)


def test_all_inside_ends_when_who_stands_at_the_door_is_killed(
    ground: Bench, staying: tuple[Brief, Launched]
) -> None:
    brief, launched = staying
    outer = psutil.Process(int(launched.handle.data["pid"]))
    inside = outer.children(recursive=True)
    outer.kill()
    eventually(lambda: not [one for one in inside if _lives(one)])
    eventually(lambda: _presence(ground.host, brief, launched) == "gone")


def test_without_bubblewrap_nothing_is_started(
    ground: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in ("git", "sh", "env", "true"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    brief = ground.brief("bare", ["true"], SandboxSpec())
    ground.make(brief)
    monkeypatch.setenv("PATH", str(tmp_path))
    for act in (lambda: ground.host.check(brief), lambda: ground.launch(brief)):
        with pytest.raises(Refused, match=r"bwrap is not installed: sudo apt-get install"):
            act()


def test_where_the_kernel_allows_no_walls_nothing_is_started(
    ground: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    brief = ground.brief("nowalls", ["true"], SandboxSpec())
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("ennio.machine.sandbox.availability._PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Refused, match=r"No permissions.*user namespaces"):
        ground.host.check(brief)


@pytest.mark.parametrize(
    "place", ["/", "/proc", "/run/user", "ennio", "ennio/sessions", "."], ids=str
)
def test_what_would_be_a_way_out_is_not_let_in(ground: Bench, place: str) -> None:
    let_in = Path(place) if place.startswith("/") else (ground.root / place).resolve()
    brief = ground.brief(
        f"way{abs(hash(place))}"[:12], ["true"], SandboxSpec(writable=(str(let_in),))
    )
    ground.make(brief)
    with pytest.raises(Refused, match="cannot be let in"):
        ground.launch(brief)


def test_a_worktree_is_refused(ground: Bench) -> None:
    brief = ground.brief("tree", ["true"], SandboxSpec(), workspace="worktree")
    with pytest.raises(Refused, match="needs `workspace: clone`"):
        ground.host.check(brief)


def test_what_is_listed_is_there_and_no_more(ground: Bench) -> None:
    read, write = ground.root / "read", ground.root / "write"
    for folder in (read, write):
        folder.mkdir()
        (folder / "file").write_text("there")
    text = (
        "import json, sys\nfound = {}\n"
        "for name in sys.argv[1:]:\n"
        "    found[name] = open(name + '/file').read()\n"
        "    try:\n        open(name + '/new', 'w').close()\n        found[name] += ' written'\n"
        "    except OSError as error:\n        found[name] += ' ' + error.strerror\n"
        "open('told.json', 'w').write(json.dumps(list(found.values())))\n"
    )
    program = _program(ground, "listed", text)
    sandbox = SandboxSpec(readable=(str(read),), writable=(str(write),))
    brief = ground.brief("listed", python(program, str(read), str(write)), sandbox)
    assert json.dumps(ground.run(brief)) == '["there Read-only file system", "there written"]'


def test_what_post_create_runs_is_run_inside_and_its_end_is_kept_outside(ground: Bench) -> None:
    command = f"cat {ground.person}/.ssh/id_rsa || echo apart > made.txt; exit 3"
    brief = ground.brief("hooks", ["true"], SandboxSpec(), post_create=(command,))
    with pytest.raises(Refused, match="exit code 3"):
        ground.make(brief)
    assert (ground.workspace(brief) / "made.txt").read_text() == "apart\n"
    assert SECRET not in (ground.folder(brief) / "hooks.log").read_text()


def test_a_program_below_a_home_finds_what_is_beside_it(ground: Bench) -> None:
    """As npm lays them: a link in a folder of links leads into a package."""
    package = ground.root / "lib" / "node_modules" / "agent"
    package.mkdir(parents=True)
    (package / "beside").write_text("found")
    program = package / "cli"
    program.write_text(
        '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\n'
        'printf \'{"got": "%s"}\' "$(cat "$here/beside")" > told.json\n'
    )
    program.chmod(0o755)
    links = ground.root / "links"
    links.mkdir()
    (links / "between").symlink_to(program)
    (links / "agent").symlink_to(links / "between")
    brief = ground.brief("linked", [str(links / "agent")], SandboxSpec())
    assert ground.run(brief) == {"got": "found"}
