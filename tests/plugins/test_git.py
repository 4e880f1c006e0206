"""The git wrapper: what it sees, what it says when git fails, and that it ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ennio.errors import EnnioError, Refused, TimedOut, Unreachable
from ennio.plugins.git import Git, Output, Question, failure, redacted, side_by_side
from tests.conftest import eventually
from tests.plugins.workspace.conftest import person
from tests.plugins.workspace.ground import commit, git

__all__ = ["person"]


@pytest.fixture
def repository(tmp_path: Path, person: Path) -> Path:
    directory = tmp_path / "repository"
    directory.mkdir()
    git(directory, "init", "--quiet")
    commit(directory, "file", "one\n")
    return directory


def test_an_answer_comes_as_text_lines_and_fields(repository: Path) -> None:
    (repository / "two\nlines").write_text("x")
    here = Git(repository)

    assert here.run("symbolic-ref", "HEAD").text == "refs/heads/main"
    assert here.run("ls-files", "-o", "-z").fields == ("two\nlines",)
    assert here.run("log", "--format=%s").lines == ("add file",)
    assert here.run("hash-object", "--stdin", input="ü").ok


def test_a_failure_names_command_place_and_words(repository: Path) -> None:
    with pytest.raises(Refused, match=rf"(?s)git checkout in {repository} failed \(1\): .*pathspec 'nowhere'"):
        Git(repository).run("checkout", "nowhere")
    assert Git(repository).run("checkout", "nowhere", check=False).code == 1


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("ssh: Could not resolve hostname github.com: Temporary failure\nfatal: Could not read from remote repository.", Unreachable),
        ("fatal: unable to access 'https://h/': Failed to connect to h port 443", Unreachable),
        ("error: RPC failed; HTTP 502\nfatal: the remote end hung up unexpectedly", Unreachable),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 503", Unreachable),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 429", Unreachable),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", Refused),
        ("git@github.com: Permission denied (publickey).\nfatal: the remote end hung up unexpectedly", Refused),
        ("remote: Repository not found.\nfatal: repository 'x' not found", Refused),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", Refused),
        ("error: No space left on device", Refused),
    ],
)
def test_trouble_is_told_by_who_can_act(words: str, kind: type[EnnioError]) -> None:
    assert type(failure(("fetch",), Path("/x"), Output(128, "", words))) is kind


def test_credentials_in_addresses_are_not_told() -> None:
    text = "fatal: 'https://pat:tok3n@host/x' https://tok3n@host/y ssh://git@host/z git@host:w"
    assert redacted(text) == "fatal: 'https://***@host/x' https://***@host/y ssh://git@host/z git@host:w"


def test_a_folder_in_a_repository_is_not_the_repository(repository: Path) -> None:
    (repository / "inner").mkdir()
    assert Git(repository).common == repository / ".git"
    assert Git(repository / "inner").common is None
    link = repository.parent / "link"
    link.symlink_to(repository / "inner")
    assert Git(link).common is None


def test_git_s_own_variables_do_not_leak_in(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=Leak'")
    assert Git(repository).run("status", "--porcelain").text == ""
    assert Git(repository).run("config", "user.name").text == "Pat"


def test_hooks_run_only_when_asked_for(repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    Git(repository).run("commit", "--allow-empty", "-m", "quiet")
    with pytest.raises(Refused):
        Git(repository, hooks=True).run("commit", "--allow-empty", "-m", "loud")


def test_a_server_that_does_not_answer_ends_at_the_limit_with_all_processes(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/app.git"
        started = time.monotonic()
        with pytest.raises(TimedOut, match=r"git ls-remote in .* did not end within 0.5 s"):
            Git(repository).run("ls-remote", address, timeout=0.5, check=False)
    assert time.monotonic() - started < 10
    eventually(lambda: not _mentions(address), within=5)


def test_questions_side_by_side_are_answered_in_their_order_whatever_comes_of_them(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    here = Git(repository)
    wrong, right = side_by_side(Question(here, ("show-ref", "--verify", "refs/heads/nowhere")), Question(here, ("rev-parse", "HEAD")))
    assert (wrong.ok, right.ok, right.text) == (False, True, head)


def test_questions_side_by_side_all_end_when_one_does_not(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/app.git"
        hung = [Question(Git(repository), ("ls-remote", f"{address}{number}")) for number in range(2)]
        with pytest.raises(TimedOut, match=r"git ls-remote in .* did not end within 0.5 s"):
            side_by_side(*hung, timeout=0.5)
        eventually(lambda: not _mentions(address), within=5)


def test_under_gevent_others_go_on_meanwhile_and_a_killed_caller_takes_git_with_it(repository: Path) -> None:
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import gevent, socket, sys\n"
        "from pathlib import Path\n"
        "from ennio.plugins.git import Git\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "address = 'http://127.0.0.1:%d/gevent.git' % server.getsockname()[1]\n"
        "call = gevent.spawn(Git(Path(sys.argv[1])).run, 'ls-remote', address)\n"
        "connection, _ = server.accept()\n"
        "call.kill(timeout=5)\n"
        "print(call.dead, address, flush=True)\n"
        "connection.settimeout(5)\n"
        "while connection.recv(4096): pass\n"
        "print('hung up')\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code, str(repository)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("True http")
    assert done.stdout.endswith("hung up\n")
    assert not _mentions(done.stdout.split()[1])


def test_no_answer_is_waited_for_from_a_person(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_demand_password, args=(server,), daemon=True).start()
        with pytest.raises(Refused, match="could not read Username"):
            Git(repository).run("ls-remote", f"http://127.0.0.1:{server.getsockname()[1]}/app.git", timeout=20)


def test_commits_are_found_by_name_and_kinship(repository: Path) -> None:
    here = Git(repository)
    first = here.commit("HEAD") or ""
    second = commit(repository, "file", "two\n")
    assert here.commit("main") == second
    assert here.commit("nowhere") is None
    assert here.commit("--all") is None
    assert (here.contains(first, second), here.contains(second, first)) == (True, False)


def test_more_environment_is_for_that_git_alone(repository: Path) -> None:
    here = Git(repository)
    assert here.under({"GIT_INDEX_FILE": str(repository.parent / "index")}).run("ls-files").text == ""
    assert here.run("ls-files").text == "file"


def _demand_password(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')


def _mentions(address: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if address.encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.append(path.parent.name)
        except OSError:
            continue
    return found
