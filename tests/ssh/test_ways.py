"""What is asked of a machine over there is counted in ways there and back: a long line makes each of
them dear, and nothing else.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from ennio.config.model import AgentConfig
from ennio.hosts.brief import LinkSpec
from ennio.hosts.delivery import Arrival, Delivery, Words
from ennio.hosts.kept_files import forget_logs
from ennio.hosts.observation import Wanted
from ennio.hosts.session_results import WorkspaceMade
from ennio.machine import single
from ennio.machine.home import Home
from ennio.machine.interface import Command, FileSpan
from ennio.machine.questions import Questions
from ennio.machine.ssh.machine import SshMachine
from ennio.model.errors import Refused
from ennio.model.facts import Presence
from ennio.plugins.git import Git, GitCommand, as_asked
from ennio.plugins.runtime.tmux import TmuxRuntime
from ennio.plugins.workspace.worktree_list import WORKTREES
from tests.conftest import eventually
from tests.contract.host_stage import HOOKS, WORDS, Stage, Stand, stage_at
from tests.ssh.bench import machine_of
from tests.ssh.sshd import Sshd

MOST = 2
"""Of a look at all sessions that rest: the survey, and then panes with files. Screens are one more,
where they show something else.
"""
SPAWN = {"make": 2, "prepare": 2, "launch": 1}
"""Where a session was begun before from the same repository, with links and a command of the
project's own that is soon over. What is asked, and then what is done: of the working copy, of the
links and the command; what is asked for the launch goes with the command.
"""
INTERRUPT = {"scripted": 2, "command": 4}
"""The screen and the key; where nobody knows how a program reads its keys, the screen after it,
and the key that takes back what it left.
"""
SEND = 6
"""What was asked before typing, the note of it with the words, a look at them, Enter, the agent's
word, and the note of that.
"""
REMOVAL = {"nothing": 8, "a commit": 10, "a commit and a file": 16}
"""By what is only there, where something was begun before from the same repository."""


@pytest.fixture(scope="module")
def machine(server: Sshd) -> Iterator[SshMachine]:
    made = machine_of(server, server.account())
    made.run(Command(("true",)))
    yield made
    made.close()


def _ways(machine: SshMachine, ask: Callable[[], object]) -> int:
    before = machine.count.questions
    ask()
    return machine.count.questions - before


def test_whatever_is_asked_at_once_is_one_way(machine: SshMachine) -> None:
    folder = machine.temporary_folder()
    files = [folder / str(number) for number in range(40)]
    for file in files[::2]:
        machine.append(file, b"line\n")
    commands = [Command(("echo", str(number))) for number in range(20)]
    asked: Mapping[str, Callable[[], object]] = {
        "read": lambda: machine.read([FileSpan(file) for file in files]),
        "stat": lambda: machine.stat(files),
        "real": lambda: machine.real(files),
        "write": lambda: machine.write(folder / "new", b"text" * 1000, mode=0o644),
        "append": lambda: machine.append(folder / "new", b"\0" * 100_000),
        "run": lambda: machine.run(commands[0]),
        "run_all": lambda: machine.run_all(commands),
        "processes": lambda: machine.processes(range(1, 60)),
        "marked": lambda: machine.marked("NOBODY_HAS_IT"),
        "others": machine.others,
        "remove": lambda: machine.remove(files),
        "which": lambda: machine.which("sh"),
        "free": lambda: machine.free_disk(Path("/")),
    }
    assert {name: ways for name, ask in asked.items() if (ways := _ways(machine, ask)) != 1} == {}
    assert (machine.home, machine.user, _ways(machine, lambda: machine.environ)) == (
        machine.home,
        machine.user,
        0,
    )
    machine.remove_tree(folder)
    assert machine.count.connections == 1


def test_old_logs_of_all_sessions_go_on_one_way_and_nothing_else_does(machine: SshMachine) -> None:
    root = machine.temporary_folder()
    ids = [f"fix-{number}" for number in range(30)]
    made = (
        "for id do mkdir -p $id/agent; touch $id/hooks.log $id/prompt.md $id/agent/deep.log; done"
    )
    folder = root / "sessions"
    machine.make_folder(folder)
    machine.run(Command(("sh", "-c", made, "sh", *ids, "../elsewhere"), cwd=str(folder)))
    machine.link_below(folder, Path("linked"), root / "elsewhere")
    asked, now = [*ids[1:], "linked", "nobody"], datetime.now(UTC)
    gone: list[int] = []

    def forget(days: int) -> None:
        home = Home(root)
        gone.append(forget_logs(machine, home, asked, now + timedelta(days=days)))

    assert [_ways(machine, lambda days=days: forget(days)) for days in (-1, 1, 1)] == [1, 1, 1]
    assert gone == [0, len(ids) - 1, 0]
    assert set(machine.list(folder)) == {*ids, "linked"}
    assert "hooks.log" in machine.list(folder / ids[0])
    assert set(machine.list(folder / ids[1])) == {"prompt.md", "agent"}
    assert machine.list(folder / ids[1] / "agent") == ("deep.log",)
    assert "hooks.log" in machine.list(root / "elsewhere")
    machine.remove_tree(root)


def test_a_port_that_nobody_listens_on_is_refused_to_each_of_many_who_ask_at_once(
    machine: SshMachine,
) -> None:
    """Of two reasons that come at once one was taken for a broken connection."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = int(taken.getsockname()[1])

    def asked(_number: int) -> str:
        try:
            machine.connect(port, 10).close()
        except OSError as error:
            return type(error).__name__
        return "connected"

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(asked, range(400))) == {"ConnectionRefusedError": 400}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with stage_at("over ssh", "tmux and worktree") as made:
        yield made


ELSEWISE = {
    "stands": "true",
    "is on another branch": "git checkout -q -b astray-$1",
    "is on no branch": "git checkout -q --detach",
    "has no branch": "git update-ref -d $(git symbolic-ref HEAD)",
    "is gone": 'rm -r "$PWD"',
}


@pytest.mark.parametrize("how", ELSEWISE)
def test_a_look_at_many_sessions_takes_as_many_ways_as_one_at_few(stage: Stage, how: str) -> None:
    """Also where each of their working copies is not as it should be."""
    far = stage.far
    assert far is not None
    stands = [Stand(stage) for _ in range(3)]
    cursors = dict[str, Mapping[str, str]]()

    def look(at: list[Stand]) -> int:
        def looked() -> None:
            handles = {one.id: one.brief.handle for one in at}
            stage.host.survey("tmux", handles)
            wanted = [Wanted(one.brief, cursors.get(one.id, {}), True, True) for one in at]
            for name, read in stage.host.observe(wanted).items():
                cursors[name] = read.cursor

        return _ways(far, looked)

    try:
        begun = [_ways(far, stand.launched) for stand in stands]
        for stand in stands:
            stage.run("sh", "-c", ELSEWISE[how], "sh", stand.id, cwd=stand.folder)
        # what was written in the last seconds is read again, for it may have changed unseen
        eventually(lambda: look(stands) <= MOST, why="they rest, and a look takes few ways")
        assert look(stands) == look(stands[:1]) <= MOST
        print(f"ways: a spawn {begun}, a look {look(stands)}")
    finally:
        for stand in stands:
            stand.clear()


def test_a_session_is_begun_in_few_ways(stage: Stage) -> None:
    far = stage.far
    assert far is not None
    first, stand = Stand(stage), Stand(stage)
    try:
        first.launched()
        links = (LinkSpec("shared.txt", "linked.txt"), LinkSpec("shared.txt", "deep/linked.txt"))
        stand.brief = replace(stand.brief, symlinks=links)
        made = list[WorkspaceMade]()
        make = lambda: made.append(stand.host.make(stand.brief, WORDS))  # noqa: E731
        ways = {"make": _ways(far, make)}
        brief = replace(stand.brief, path=made[0].path)
        asked: Mapping[str, Callable[[], object]] = {
            "prepare": lambda: stand.host.prepare(brief),
            "launch": lambda: stand.host.launch(brief, 1, HOOKS, "record", False, None),
        }
        ways |= {name: _ways(far, ask) for name, ask in asked.items()}
        assert ways == SPAWN
        assert (stand.folder / "deep" / "linked.txt").resolve() == stage.root / "score/shared.txt"
        assert (stand.folder / "hooked.txt").read_text() == "g minor"
    finally:
        first.clear()
        stand.clear()


@pytest.mark.parametrize("how", ["links alone", "it takes its time", "it failed first"])
def test_a_launch_is_asked_ahead_by_what_came_before_it(stage: Stage, how: str) -> None:
    """With the last of the changes, where there is no command, or one that takes its time; and by
    itself where nothing came to a good end.
    """
    far, stand = stage.far, Stand(stage)
    assert far is not None
    hooks = {"links alone": (), "it takes its time": ("sleep 0.5",), "it failed first": ("exit 3",)}
    stand.brief = replace(stand.brief, post_create=hooks[how])
    stand.brief = replace(stand.brief, path=stand.host.make(stand.brief, WORDS).path)
    try:
        if how == "it failed first":
            with pytest.raises(Refused, match="exit code 3"):
                stand.host.prepare(stand.brief)
        else:
            stand.host.prepare(stand.brief)
        launch = lambda: stand.host.launch(stand.brief, 1, HOOKS, "record", False, None)  # noqa: E731
        assert _ways(far, launch) == (2 if how == "it failed first" else 1)
    finally:
        stand.clear()


def test_words_that_come_before_a_launch_are_told_by_it(stage: Stage) -> None:
    """What was asked ahead when the working copy was prepared is of before that."""
    stand = Stand(stage)
    stand.made()
    try:
        stand.host.instruct(stand.brief, "Play it again", "Never stop")
        done = stand.host.launch(stand.brief, 1, HOOKS, "record", False, None)
        assert done.words == "Play it again"
    finally:
        stand.clear()


def test_a_link_that_is_refused_with_others_is_named_and_keeps_the_command_from_running(
    stage: Stage,
) -> None:
    stand = Stand(stage)
    links = tuple(LinkSpec("shared.txt", name) for name in ("one.txt", "bent/two.txt", "three.txt"))
    stand.brief = replace(stand.brief, symlinks=links)
    stand.brief = replace(stand.brief, path=stand.host.make(stand.brief).path)
    stage.run("ln", "-s", "/tmp", "bent", cwd=stand.folder)
    with pytest.raises(Refused, match=r"symlink bent/two\.txt: bent on the way is a link"):
        stand.host.prepare(stand.brief)
    assert {name.name for name in stand.folder.iterdir()} == {".git", "one.txt", "bent"}
    stage.run("rm", "bent", cwd=stand.folder)
    stand.host.prepare(stand.brief)
    assert (stand.folder / "hooked.txt").read_text() == "g minor"


@pytest.mark.parametrize("agent", INTERRUPT)
def test_an_agent_is_interrupted_in_few_ways(stage: Stage, agent: str) -> None:
    far, stand = stage.far, Stand(stage)
    assert far is not None
    try:
        if agent == "command":
            config = AgentConfig(passthrough={"run": "exec cat", "interactive": True})
            stand.brief = replace(stand.brief, agent=agent, agent_config=config)
            stand.made()
            done = stand.host.launch(stand.brief, 1, HOOKS, "record", False, None)
            stand.brief = replace(stand.brief, handle=done.handle)
            eventually(lambda: stand.process().presence is Presence.ALIVE)
        else:
            stand.launched()
        stand.process()
        ways = [_ways(far, lambda: stand.host.interrupt(stand.brief)) for _ in range(3)]
        assert min(ways) == INTERRUPT[agent], ways
    finally:
        stand.clear()


def test_a_message_is_typed_in_few_ways(stage: Stage) -> None:
    far, stand = stage.far, Stand(stage)
    assert far is not None
    try:
        stand.launched()
        assert _ways(far, lambda: stand.host.obstacle(stand.brief, stand.words("x"))) == 1
        told = list[Delivery]()
        words = [stand.words(f"Once more, {number}") for number in range(5)]

        def sent(one: Words) -> int:
            ready = lambda: stand.host.obstacle(stand.brief, one) is None  # noqa: E731
            eventually(ready, why="it takes words")
            return _ways(far, lambda: told.append(stand.host.deliver(stand.brief, one)))

        # a slow agent is looked at again
        assert min(map(sent, words)) == SEND
        assert {one.arrival for one in told} == {Arrival.DELIVERED}
        again = stand.host.deliver(stand.brief, words[0])
        assert (again.arrival, again.detail) == (Arrival.DELIVERED, "it was taken before")
    finally:
        stand.clear()


@pytest.mark.parametrize("what", REMOVAL)
def test_a_working_copy_is_removed_in_few_ways(stage: Stage, what: str) -> None:
    far = stage.far
    assert far is not None
    stand = Stand(stage)
    stand.made()
    if what != "nothing":
        stage.run("git", "commit", "-q", "--allow-empty", "-m", "A cadence", cwd=stand.folder)
    if what.endswith("file"):
        stage.run("sh", "-c", "echo coda > unsaved.txt", cwd=stand.folder)
    elif what == "nothing":
        stage.run("rm", "hooked.txt", cwd=stand.folder)
    else:
        stage.run("sh", "-c", "git add hooked.txt && git commit -qm hook", cwd=stand.folder)
    assert _ways(far, lambda: stand.host.inspect(stand.brief)) == 2
    brief = replace(stand.brief, ended=True)
    assert _ways(far, lambda: stand.host.remove(brief)) == REMOVAL[what]
    kept = stage.run("git", "for-each-ref", "refs/ennio", "refs/heads", cwd=stage.root / "score")
    assert (stand.id in kept) is (what != "nothing")
    assert not stand.folder.exists()


def test_what_may_pass_was_told_ahead_and_is_asked_again(stage: Stage) -> None:
    """A worktree that another git was just making, when all was asked at once."""
    far, stand = stage.far, Stand(stage)
    assert far is not None
    stand.made()
    pointer = stage.root / "score" / ".git" / "worktrees" / stand.id / "commondir"
    whole, git = pointer.read_text(), Git(far, stage.root / "score")
    pointer.write_text("")
    with far.foreseen(Questions(commands=[as_asked(GitCommand(git, WORKTREES))])):
        pointer.write_text(whole)
        assert str(stand.folder) in git.run(*WORKTREES).stdout


def test_a_server_of_terminals_that_began_meanwhile_is_asked_again(stage: Stage) -> None:
    """It was told ahead that there is none."""
    far, name = stage.far, f"late-{uuid.uuid4().hex[:8]}"
    assert far is not None
    runtime, tmux = TmuxRuntime(far, name), ("tmux", "-L", name, "-f", "/dev/null")
    with far.foreseen(runtime.foreseen_survey()):
        assert runtime.survey() == {}
    with far.foreseen(runtime.foreseen_survey()):
        stage.run(*tmux, "new-session", "-d", "sleep 600")
        try:
            assert _ways(far, runtime.survey) > 0
        finally:
            stage.run(*tmux, "kill-server")


def test_no_other_user_can_see_the_environment_that_a_command_is_given(
    machine: SshMachine,
) -> None:
    folder, secret = machine.temporary_folder(), "opus 27 in c sharp minor"
    given = Command(("printenv", "KEY"), env={"PATH": "/usr/bin:/bin", "KEY": secret})

    def run_all_ways() -> None:
        for _ in range(5):
            told = [machine.run(given), *machine.run_all([given, given])]
            assert {one.stdout for one in told} == {f"{secret}\n".encode()}
            machine.begin(given, folder / "out").wait(20)

    open_ = Command(("sh", "-c", "sleep 0.3; true", secret))
    assert _is_seen(secret, lambda: machine.run(open_)), "who looks sees what is in the open"
    assert not _is_seen(secret, run_all_ways)
    assert single.content(machine, folder / "out", 1000) == f"{secret}\n".encode() * 5
    machine.remove_tree(folder)


def _is_seen(text: str, act: Callable[[], object]) -> bool:
    """Whether the words of any process hold it while something is done."""
    acting, seen = threading.Thread(target=act), False
    acting.start()
    while acting.is_alive():
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                seen = seen or any(text in word for word in process.cmdline())
        acting.join(0.001)
    return seen
