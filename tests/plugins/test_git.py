"""The git wrapper: what it sees, what it says when git fails, and that it ends."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ennio.machine.local import LocalMachine
from ennio.model.errors import EnnioError, Exhausted, Refused, TimedOut, Unreachable
from ennio.plugins import git_environment, git_errors, git_orphans
from ennio.plugins.git import (
    Git,
    GitCommand,
    GitDeed,
    GitOutput,
    GitPlace,
    failure,
    redacted,
    side_by_side,
)
from tests.conftest import eventually
from tests.plugins.workspace.conftest import person
from tests.plugins.workspace.ground import commit, git, git_ok

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
    here = Git(LocalMachine(), repository)

    assert here.run("symbolic-ref", "HEAD").text == "refs/heads/main"
    assert here.run("ls-files", "-o", "-z").fields == ("two\nlines",)
    assert here.run("log", "--format=%s").lines == ("add file",)
    assert here.run("hash-object", "--stdin", input="ü").ok


def test_a_failure_names_command_place_and_words(repository: Path) -> None:
    with pytest.raises(
        Refused, match=rf"(?s)git checkout in {repository} failed \(1\): .*pathspec 'nowhere'"
    ):
        Git(LocalMachine(), repository).run("checkout", "nowhere")
    assert Git(LocalMachine(), repository).run("checkout", "nowhere", check=False).code == 1


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (
            (
                "ssh: Could not resolve hostname github.com: Temporary failure\nfatal: Could not "
                "read "
                "from remote repository."
            ),
            Unreachable,
        ),
        ("fatal: unable to access 'https://h/': Failed to connect to h port 443", Unreachable),
        ("error: RPC failed; HTTP 502\nfatal: the remote end hung up unexpectedly", Unreachable),
        (
            "fatal: unable to access 'https://h/': The requested URL returned error: 503",
            Unreachable,
        ),
        (
            "fatal: unable to access 'https://h/': The requested URL returned error: 429",
            Unreachable,
        ),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", Refused),
        (
            (
                "git@github.com: Permission denied (publickey).\nfatal: the remote end hung up "
                "unexpectedly"
            ),
            Refused,
        ),
        ("remote: Repository not found.\nfatal: repository 'x' not found", Refused),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", Refused),
        ("git: error: unable to fork: Resource temporarily unavailable", Exhausted),
        ("fatal: unable to create thread: Resource temporarily unavailable", Exhausted),
        ("fatal: unable to create threaded lstat: Resource temporarily unavailable", Exhausted),
        ('error: open("a"): Too many open files\nfatal: adding files failed', Exhausted),
        ("fatal: Out of memory, malloc failed (tried to allocate 9 bytes)", Exhausted),
        ("fatal: cannot fork to run pre-auto-gc: Cannot allocate memory", Exhausted),
        ("error: No space left on device", Exhausted),
        ("error: cannot lock ref 'refs/x': is at 1234 but expected 5678", Unreachable),
        ("error: cannot lock ref 'refs/x': reference already exists", Unreachable),
        ("fatal: Unable to create '/x/index.lock': File exists.", Unreachable),
        ("fatal: shallow file has changed since we read it", Unreachable),
        ("error: cannot lock ref 'refs/x/y': 'refs/x' exists; cannot create 'refs/x/y'", Refused),
        ("error: could not lock config file .git/config: File exists", Unreachable),
        ("error: could not lock config file .git/config: Permission denied", Refused),
        (
            "fatal: cannot lock ref 'HEAD': Unable to create '/x/.git/HEAD.lock': Permission denied",
            Refused,
        ),
        ("fatal: Unable to create '/x/.git/index.lock': Read-only file system", Refused),
    ],
)
def test_trouble_is_told_by_who_can_act(words: str, kind: type[EnnioError]) -> None:
    assert (
        type(failure(Git(LocalMachine(), Path("/x")), ("fetch",), GitOutput(128, "", words)))
        is kind
    )


def test_credentials_in_addresses_are_not_told() -> None:
    text = "fatal: 'https://pat:tok3n@host/x' https://tok3n@host/y ssh://git@host/z git@host:w"
    assert (
        redacted(text)
        == "fatal: 'https://***@host/x' https://***@host/y ssh://git@host/z git@host:w"
    )


def test_a_folder_in_a_repository_is_not_the_repository(repository: Path) -> None:
    (repository / "inner").mkdir()
    assert Git(LocalMachine(), repository).common == repository / ".git"
    assert Git(LocalMachine(), repository / "inner").common is None
    link = repository.parent / "link"
    link.symlink_to(repository / "inner")
    assert Git(LocalMachine(), link).common is None


def test_git_s_own_variables_do_not_leak_in(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=Leak'")
    assert Git(LocalMachine(), repository).run("status", "--porcelain").text == ""
    assert Git(LocalMachine(), repository).run("config", "user.name").text == "Pat"


def test_hooks_run_only_when_asked_for(repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    Git(LocalMachine(), repository).run("commit", "--allow-empty", "-m", "quiet")
    with pytest.raises(Refused):
        Git(LocalMachine(), repository, hooks=True).run("commit", "--allow-empty", "-m", "loud")


def test_a_server_that_does_not_answer_ends_at_the_limit_with_all_processes(
    repository: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/app.git"
        started = time.monotonic()
        with pytest.raises(TimedOut, match=r"git ls-remote in .* did not end within 0.5 s"):
            Git(LocalMachine(), repository).run("ls-remote", address, timeout=0.5, check=False)
    assert time.monotonic() - started < 10
    eventually(lambda: not _mentions(address), within=30)


def test_questions_side_by_side_are_answered_in_their_order_whatever_comes_of_them(
    repository: Path,
) -> None:
    head = git(repository, "rev-parse", "HEAD")
    here = Git(LocalMachine(), repository)
    wrong, right = side_by_side(
        GitCommand(here, ("show-ref", "--verify", "refs/heads/nowhere")),
        GitCommand(here, ("rev-parse", "HEAD")),
    )
    assert (wrong.ok, right.ok, right.text) == (False, True, head)


def test_a_git_that_is_ended_leaves_no_lock_behind(repository: Path) -> None:
    hook, lock = (
        repository / ".git" / "hooks" / "reference-transaction",
        repository / ".git" / "refs" / "heads" / "fix.lock",
    )
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\ntest -e {lock} && touch {repository}/was-locked && sleep 60\nexit 0\n"
    )
    hook.chmod(0o755)
    with pytest.raises(TimedOut):
        Git(LocalMachine(), repository, hooks=True).run("branch", "fix", timeout=1.0)
    assert (repository / "was-locked").exists()
    assert not lock.exists()
    hook.unlink()
    Git(LocalMachine(), repository).run("branch", "fix")


def test_a_ref_that_another_git_deletes_while_refs_are_read_is_waited_for(
    repository: Path,
) -> None:
    git = Git(LocalMachine(), repository)
    deleted = repository / ".git" / "refs" / "heads" / "deleted"
    deleted.write_text(f"{'1' * 40}\n")  # what is read of it then: no commit
    assert not git_ok(repository, "rev-list", "HEAD", "--not", "--branches")
    deleting = threading.Timer(0.3, deleted.unlink)
    deleting.start()

    assert git.run("rev-list", "HEAD", "--not", "--branches").lines == ()
    deleting.join()


def test_a_commit_that_is_not_there_is_told_at_once(repository: Path) -> None:
    begun = time.monotonic()

    with pytest.raises(Refused, match="bad object 1111"):
        Git(LocalMachine(), repository).run("rev-list", "1" * 40)

    assert time.monotonic() - begun < 3  # seconds; a lock is waited for longer


def test_a_worktree_that_another_git_is_just_making_is_waited_for(
    repository: Path, tmp_path: Path
) -> None:
    """A file of it is there before anything is in it, and every git that looks at worktrees ends
    with that.
    """
    git(repository, "worktree", "add", "--quiet", "-b", "w", str(tmp_path / "w"))
    half_made = repository / ".git" / "worktrees" / "w" / "commondir"
    whole = half_made.read_text()
    half_made.write_text("")
    git(repository, "branch", "z")
    making = threading.Timer(0.3, half_made.write_text, (whole,))
    making.start()
    try:
        Git(LocalMachine(), repository).run("worktree", "add", str(tmp_path / "z"), "z")
    finally:
        making.join()
    assert (tmp_path / "z" / "file").exists()


def test_deeds_are_done_in_their_order_and_none_after_one_that_fails(repository: Path) -> None:
    here, lock = Git(LocalMachine(), repository), repository / ".git" / "config.lock"

    def there() -> list[str]:
        return git(repository, "for-each-ref", "--format=%(refname)", "refs/x").split()

    def making(number: int) -> GitDeed:
        return GitDeed(("update-ref", "--stdin"), f"create refs/x/{number} HEAD\n")

    may_fail = GitDeed(("config", "--remove-section", "none"), check=False)
    here.run_each([making(1), may_fail, making(2)])
    assert there() == ["refs/x/1", "refs/x/2"]
    with pytest.raises(Refused, match="update-ref"):
        here.run_each([making(3), GitDeed(("update-ref", "refs/x/9", "nothing")), making(4)])
    assert there() == ["refs/x/1", "refs/x/2", "refs/x/3"]
    lock.write_text("")
    freed = threading.Timer(0.3, lock.unlink)
    freed.start()
    try:
        here.run_each([GitDeed(("config", "play.key", "minor")), making(5)])
    finally:
        freed.join()
    assert git(repository, "config", "play.key").strip() == "minor"
    assert there()[-1] == "refs/x/5"


def test_questions_side_by_side_all_end_when_one_does_not(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/app.git"
        hung = [
            GitCommand(Git(LocalMachine(), repository), ("ls-remote", f"{address}{number}"))
            for number in range(2)
        ]
        with pytest.raises(TimedOut, match=r"git ls-remote in .* did not end within 0.5 s"):
            side_by_side(*hung, timeout=0.5)
        eventually(lambda: not _mentions(address), within=30)


def test_under_gevent_others_go_on_meanwhile_and_a_killed_caller_takes_git_with_it(
    repository: Path,
) -> None:
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import gevent, socket, sys\n"
        "from pathlib import Path\n"
        "from ennio.machine.local import LocalMachine\n"
        "from ennio.plugins.git import Git\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "address = 'http://127.0.0.1:%d/gevent.git' % server.getsockname()[1]\n"
        "call = gevent.spawn(Git(LocalMachine(), Path(sys.argv[1])).run, 'ls-remote', address)\n"
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
            Git(LocalMachine(), repository).run(
                "ls-remote", f"http://127.0.0.1:{server.getsockname()[1]}/app.git", timeout=20
            )


def test_commits_are_found_by_name_and_kinship(repository: Path) -> None:
    here = Git(LocalMachine(), repository)
    first = here.commit("HEAD") or ""
    second = commit(repository, "file", "two\n")
    assert here.commit("main") == second
    assert here.commit("nowhere") is None
    assert here.commit("--all") is None
    assert (here.contains(first, second), here.contains(second, first)) == (True, False)


def test_more_environment_is_for_that_git_alone(repository: Path) -> None:
    here = Git(LocalMachine(), repository)
    assert (
        here.under({"GIT_INDEX_FILE": str(repository.parent / "index")}).run("ls-files").text == ""
    )
    assert here.run("ls-files").text == "file"


def _demand_password(server: socket.socket, told: list[bytes] | None = None) -> None:
    """Every request is refused, until the server is closed."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                request = connection.recv(4096)
                if told is not None:
                    told.append(request)
                connection.sendall(
                    b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: '
                    b"0\r\nConnection: close\r\n\r\n"
                )


def _mentions(address: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if address.encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_the_progress_of_a_command_is_none_of_its_words() -> None:
    told = "Receiving objects:  10%\rReceiving objects:  50%\rfatal: early EOF\n"
    assert (
        str(failure(Git(LocalMachine(), Path("/x")), ("fetch",), GitOutput(128, "", told)))
        == "git fetch in /x failed (128): fatal: early EOF"
    )


def test_who_ends_by_a_signal_may_be_asked_again() -> None:
    assert (
        type(failure(Git(LocalMachine(), Path("/x")), ("fetch",), GitOutput(-9, "", "")))
        is Unreachable
    )


def test_git_that_cannot_be_started_for_want_of_something_is_unknown_not_refused(
    repository: Path,
) -> None:
    """A process with no room for another file descriptor, in a child that ends with it."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from ennio.machine.local import LocalMachine\n"
        "from ennio.plugins.git import Git\n"
        "from ennio.model.errors import Exhausted\n"
        "git = Git(LocalMachine(), Path(sys.argv[1])); git.run('status')\n"
        "held = []\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "try:\n"
        "    while True: held.append(open('/dev/null'))\n"
        "except OSError: pass\n"
        "try: git.run('status')\n"
        "except Exhausted as error: held.clear(); print(error)\n"
        "print(git.run('status').ok)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(repository)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("too many files are open in one process"), done.stderr
    assert done.stdout.endswith("\nTrue\n")


@pytest.mark.parametrize("how", ["GIT_ASKPASS", "SSH_ASKPASS", "core.askPass"])
def test_nobody_is_asked_through_a_window(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    asked = tmp_path / "asked"
    program = _program(tmp_path / "askpass", f"echo x >>{asked}; sleep 60")
    if how == "core.askPass":
        git(repository, "config", how, str(program))
    else:
        monkeypatch.setenv(how, str(program))
    monkeypatch.setenv("DISPLAY", ":0")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_demand_password, args=(server,), daemon=True).start()
        with pytest.raises(Refused, match=r"could not read Username|interactivity"):
            Git(LocalMachine(), repository).run(
                "ls-remote", f"http://127.0.0.1:{server.getsockname()[1]}/app.git", timeout=20
            )
    assert not asked.exists()


def test_a_helper_that_answers_by_itself_is_asked(repository: Path, tmp_path: Path) -> None:
    helper = _program(
        tmp_path / "helper",
        'test "$1" = get && echo username=pat && echo "password=$DISPLAY-tok3n"',
    )
    git(repository, "config", "credential.helper", str(helper))
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_demand_password, args=(server, told), daemon=True).start()
        with pytest.raises(Refused, match="Authentication failed"):
            Git(LocalMachine(), repository).run(
                "ls-remote", f"http://127.0.0.1:{server.getsockname()[1]}/app.git", timeout=20
            )
    assert b"cGF0Oi10b2szbg==" in told[1]  # pat:-tok3n


def test_a_helper_that_hangs_is_ended_and_that_is_said(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.plugins.git.STALL", 0.5)
    git(
        repository,
        "config",
        "credential.helper",
        str(_program(tmp_path / "helper", "exec sleep 61.7310")),
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_demand_password, args=(server,), daemon=True).start()
        with pytest.raises(TimedOut, match=r"got no answer for 0\.5 s"):
            Git(LocalMachine(), repository).run(
                "ls-remote", f"http://127.0.0.1:{server.getsockname()[1]}/app.git"
            )
    eventually(lambda: not _mentions("sleep\x0061.7310"), within=30)


def test_a_server_that_goes_on_is_waited_for_longer_than_one_that_does_not(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ennio.plugins.git.STALL", 1.0)
    slow = _program(
        tmp_path / "ssh",
        "for i in 1 2 3 4 5 6 7 8; do echo $i >&2; sleep 0.4; done; exec git-upload-pack "
        f"{repository}",
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", str(slow))
    assert (
        "refs/heads/main"
        in Git(LocalMachine(), repository).run("ls-remote", "ssh://host/app.git").stdout
    )


def test_what_the_caller_s_git_is_at_changes_nothing(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("GIT_WORK_TREE", "/nowhere"),
        ("GIT_COMMON_DIR", "/nowhere"),
        ("GIT_NAMESPACE", "other"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("GIT_AUTHOR_DATE", "1970-01-02T00:00:00Z"),
        ("GIT_DEFAULT_HASH", "sha256"),
        ("GIT_TRACE", "1"),
        ("GIT_SOMETHING_NEW", "1"),
    ):
        monkeypatch.setenv(name, value)
    head = Git(LocalMachine(), repository).run("commit-tree", "HEAD^{tree}", "-m", "now", input="")
    (repository / "new").write_text("x")

    assert head.stderr == ""
    assert (
        Git(LocalMachine(), repository)
        .run("log", "-1", "--format=%ad", "--date=format:%Y", head.text)
        .text
        != "1970"
    )
    assert Git(LocalMachine(), repository).run("ls-files", "--others", ":(top)").text == "new"
    assert Git(LocalMachine(), repository).place == GitPlace(
        repository / ".git", repository / ".git", repository, "main"
    )


def test_settings_that_people_give_by_the_environment_hold(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Container")
    monkeypatch.setenv("GIT_SSH_COMMAND", "echo said >&2; false")

    assert Git(LocalMachine(), repository).run("config", "user.name").text == "Container"
    with pytest.raises(EnnioError, match="said"):
        Git(LocalMachine(), repository).run("ls-remote", "ssh://host/x.git")


def test_a_git_whose_ennio_was_killed_is_ended_by_the_next(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/silent.git"
        code = (
            "import sys, pathlib, ennio.plugins.git as g; from ennio.machine.local import *; "
            "g.Git(LocalMachine(), pathlib.Path(sys.argv[1])).run('ls-remote', sys.argv[2])"
        )
        command = [sys.executable, "-c", code, str(repository), address]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        silent = []
        for life in range(2):
            with subprocess.Popen(command, env=env) as ennio:
                silent.append(server.accept())
                eventually(lambda: len(_leaders(address)) == 1, within=30)
                if life == 0:
                    ennio.kill()
                    ennio.wait()
                    assert len(_leaders(address)) == 1  # it lives on
                else:
                    ennio.terminate()
        for pid in _leaders(address):
            os.killpg(pid, signal.SIGKILL)


def test_two_who_fetch_the_same_ref_at_once_both_succeed(repository: Path, tmp_path: Path) -> None:
    """The ref moves at every turn, and both are about to move it from what it was."""
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "copy.git")
    over, failures = threading.Event(), list[EnnioError]()

    def fetch() -> None:
        while not over.is_set():
            try:
                Git(LocalMachine(), tmp_path / "copy.git").run(
                    "fetch",
                    "--progress",
                    "--refmap=",
                    str(repository),
                    "+refs/heads/main:refs/ennio/x",
                )
            except EnnioError as error:
                failures.append(error)

    fetchers = [threading.Thread(target=fetch) for _ in range(4)]
    for one in fetchers:
        one.start()
    for number in range(25):
        git(repository, "commit", "--quiet", "--allow-empty", "-m", str(number))
    over.set()
    for one in fetchers:
        one.join()
    assert failures == []


def _program(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def _leaders(address: str) -> list[int]:
    return [
        int(pid)
        for pid in _mentions(address)
        if pid.isdigit() and _group(int(pid)) == int(pid) and b"git\0" in _command(pid)
    ]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("process", [True, False])
def test_a_filter_that_is_not_installed_is_named_as_what_it_is(
    repository: Path, tmp_path: Path, process: bool
) -> None:
    """As with git-lfs: what git says of it sounds like a server that hung up, and
    would be tried for ever.
    """
    git = Git(LocalMachine(), repository)
    (repository / ".gitattributes").write_text("*.bin filter=big\n")
    (repository / "a.bin").write_text("x")
    git.run("add", ".")
    git.run("commit", "--quiet", "-m", "big files")
    for key, value in (
        ("required", "true"),
        ("smudge", "no-such-filter smudge -- %f"),
        ("clean", "no-such-filter clean -- %f"),
    ):
        git.run("config", f"filter.big.{key}", value)
    if process:
        git.run("config", "filter.big.process", "no-such-filter filter-process")
    with pytest.raises(
        Refused,
        match=r"needs the filter no-such-filter, which is not installed or not on the PATH \(.*/",
    ):
        git.run("worktree", "add", str(tmp_path / "tree"), "-b", "tree")


@pytest.mark.parametrize("said", [
    ("error: packet write with format failed\nerror: initialization for subprocess 'big' " "failed\n" "fatal: a.bin: smudge filter lfs failed"),
    "fatal: the remote end hung up unexpectedly",
    "error: external filter 'big clean -- %f' failed 127",
])  # fmt: skip
def test_a_missing_filter_is_named_whatever_git_had_come_to_when_it_noticed(said: str) -> None:
    error = git_errors.failure(
        LocalMachine(), "git worktree", "x", 128, f"big filter-process: 1: big: not found\n{said}"
    )
    assert isinstance(error, Refused)
    assert "needs the filter big, which is not installed" in str(error)


def test_what_a_helper_left_running_is_not_ended_with_the_gits_of_an_earlier_life() -> None:
    """An ssh that stays for the next connection, also a person's, has its environment
    from the git that began it.
    """
    env = {**os.environ, git_environment.MARK: "999999999:1.00"}
    with subprocess.Popen(["sleep", "60"], env=env, start_new_session=True) as helper:
        git_orphans.end_once.__wrapped__(os.getpid())
        assert helper.poll() is None
        helper.kill()


def test_a_git_of_an_earlier_life_is_ended_so_that_it_leaves_no_lock(repository: Path) -> None:
    """Whatever it was at: it would be in the way of who does the same anew."""
    hook, lock = (
        repository / ".git" / "hooks" / "reference-transaction",
        repository / ".git" / "refs" / "heads" / "fix.lock",
    )
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nsleep 60\n")
    hook.chmod(0o755)
    env = {**os.environ, git_environment.MARK: "999999999:1.00"}
    with subprocess.Popen(
        ["git", "branch", "fix"], cwd=repository, env=env, start_new_session=True
    ) as former:
        eventually(lock.exists, 30, "it holds the lock")
        git_orphans.end_once.__wrapped__(os.getpid())
        former.wait(20)
    assert not lock.exists()


@pytest.mark.parametrize(
    "command",
    [["fetch", "{}"], ["push", "{}", "HEAD"], ["ls-remote", "{}"], ["clone", "-q", "{}", "copy"]],
)
@pytest.mark.parametrize("left", [False, True])
def test_a_repository_that_is_gone_is_named_with_what_is_lost_and_the_way_out(
    tmp_path: Path, command: list[str], left: bool
) -> None:
    git, hub = Git(LocalMachine(), tmp_path), tmp_path / "hub of mine.git"
    git.run("init", "-q")
    git.run(
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "first",
    )
    if left:
        hub.mkdir()
    with pytest.raises(Refused) as caught:
        git.run(*(word.format(hub) for word in command))
    state = "is no git repository any more" if left else "is gone: there is no such folder"
    assert str(caught.value).startswith(
        f"the repository {hub} {state}. Nothing in the working copies is lost"
    )
    assert str(caught.value).endswith(f"git clone --bare . '{hub}'")


def test_a_repository_elsewhere_that_is_not_found_keeps_gits_own_words(tmp_path: Path) -> None:
    words = "fatal: 'hub.git' does not appear to be a git repository"
    assert str(git_errors.failure(LocalMachine(), "git fetch", tmp_path, 128, words)).endswith(
        words
    )


@pytest.mark.parametrize(
    "said",
    [
        "error: insufficient permission for adding an object to repository database .git/objects",
        "fatal: could not create directory of '.git/worktrees/tree': Permission denied",
        "error: cannot open '.git/FETCH_HEAD': Permission denied",
        "error: could not lock config file .git/config: Permission denied",
        "fatal: cannot lock ref 'x': Unable to create '{root}/.git/refs/x.lock': Permission denied",
        "fatal: Unable to create '{root}/.git/index.lock': Permission denied",
    ],
)
def test_a_repository_that_is_closed_is_named_with_the_command_that_opens_it(
    repository: Path, said: str
) -> None:
    words = said.format(root=repository)
    error = git_errors.failure(LocalMachine(), "git worktree", repository, 128, words)
    assert type(error) is Refused
    folder = repository / ".git"
    assert f"permission is denied at {folder}; it is opened by: chmod -R u+rwX {folder}" in str(
        error
    )
    assert f'sudo chown -R "$(id -un)" {folder}' in str(error)


@pytest.mark.parametrize(
    "said",
    [
        "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
        "fatal: unable to access '/root/.gitconfig': Permission denied",
        "error: cannot run .git/hooks/pre-push: Permission denied",
        "hook: /usr/bin/thing: Permission denied",
        "remote: error: insufficient permission for adding an object to database ./objects",
    ],
)
def test_what_is_denied_elsewhere_keeps_gits_own_words(repository: Path, said: str) -> None:
    error = git_errors.failure(LocalMachine(), "git fetch", repository, 128, said)
    assert type(error) is Refused
    assert "it is opened by" not in str(error)
    assert said.splitlines()[0] in str(error)


def test_a_repository_on_a_read_only_disk_is_refused_at_once_with_the_way_out(
    repository: Path, tmp_path: Path
) -> None:
    """Words of git alone would be tried for ever, or tell nobody what to do."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mount a disk")
    code = (
        "import sys; from pathlib import Path; from ennio.machine.local import LocalMachine; "
        "from ennio.plugins.git import Git; git = Git(LocalMachine(), Path(sys.argv[1])); "
        "git.run('worktree', 'add', sys.argv[2], '-b', 'tree')"
    )
    place = shlex.quote(str(repository))
    line = f"mount --bind {place} {place} && mount -o remount,ro,bind {place} && exec "
    line += shlex.join([sys.executable, "-c", code, str(repository), str(tmp_path / "tree")])
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", line], capture_output=True, text=True, check=False
    )
    if "mount:" in done.stderr:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    assert f"{repository / '.git'} lies on a read-only disk" in done.stderr, done.stderr
    assert "sudo mount -o remount,rw" in done.stderr
