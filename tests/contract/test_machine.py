"""What every machine must do. Another one is held by adding how it is reached to
``machine_bench.MACHINES``.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ennio.machine import single
from ennio.machine.interface import (
    Command,
    FileKind,
    FilePart,
    FileSpan,
    Machine,
    Overdue,
    ProcessId,
)
from ennio.machine.links import MisplacedLink
from ennio.machine.local import LocalMachine
from ennio.machine.questions import Questions
from ennio.machine.ssh.far_time import CLOSE
from tests.conftest import eventually
from tests.contract.machine_bench import MACHINES, MachineBench
from tests.properties import examples

WORDS = st.binary(max_size=200).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"")))
"""Any bytes that may be an argument."""
NAMES = st.binary(min_size=1, max_size=100).map(
    lambda raw: os.fsdecode(b"n" + raw.replace(b"\0", b"").replace(b"/", b""))
)
FILE_NEWS, PROCESS_NEWS = ("session", "file"), ("session", "process")
HOSTILE = "a'b\"c`d$(e)\\f\n;&|<>*?[]{}~#!\t -x \udc80\udcff"
FEW = settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(params=list(MACHINES), scope="module")
def stage(request: pytest.FixtureRequest) -> Iterator[MachineBench]:
    with MACHINES[request.param]() as made:
        yield made


@pytest.fixture
def machine(stage: MachineBench) -> Machine:
    return stage.machine


@pytest.fixture
def tmp_path(stage: MachineBench, tmp_path: Path) -> Path:
    """A folder that whoever runs programs over there may do anything in."""
    return stage.folder(tmp_path)


@pytest.fixture
def sleeper(stage: MachineBench) -> Iterator[subprocess.Popen[bytes]]:
    env = {"PATH": os.environ["PATH"], "ENNIO_TEST_MARK": "g minor"}
    process = subprocess.Popen(["sleep", "600"], env=env, start_new_session=True, **stage.as_user)
    yield process
    process.kill()
    process.wait()


def run(machine: Machine, *argv: str, stdin: bytes = b"", **more: typing.Any) -> Command:
    del machine
    return Command(argv, env={"PATH": os.environ["PATH"]}, stdin=stdin, **more)


# --- programs -------------------------------------------------------------------------------------


@FEW
@given(st.lists(WORDS, max_size=5))
@example([HOSTILE, "", "-", "--", "="])
def test_words_reach_a_program_as_they_are_whatever_bytes_are_in_them(
    machine: Machine, words: list[str]
) -> None:
    script = 'for word do printf "%s\\0" "$word"; done'
    done = machine.run(run(machine, "sh", "-c", script, "sh", *words))
    told = done.stdout.split(b"\0")[:-1]
    assert (done.code, told) == (0, [os.fsencode(word) for word in words])


@FEW
@given(WORDS, st.binary(max_size=5000))
@example(HOSTILE, b"")
def test_a_program_has_the_environment_the_folder_and_the_input_it_was_given_and_no_other(
    machine: Machine, value: str, given_: bytes
) -> None:
    command = Command(
        ("sh", "-c", 'pwd; printf %s "$VALUE" | od -An -tx1 -v; cat'),
        "/usr",
        {"PATH": os.defpath, "VALUE": value},
        given_,
    )
    done = machine.run(command)
    head, rest = done.stdout.split(b"\n", 1)
    shown = rest[: len(rest) - len(given_)]
    assert head == b"/usr"
    assert bytes.fromhex(shown.decode().replace("\n", " ")) == os.fsencode(value)
    assert rest.endswith(given_)
    told = machine.run(Command(("env",), env={"PATH": os.defpath, "ONLY": "this"})).stdout.split()
    assert set(told) == {f"PATH={os.defpath}".encode(), b"ONLY=this"}


def test_what_a_program_prints_and_how_it_ends_is_told(machine: Machine) -> None:
    done = machine.run(run(machine, "sh", "-c", "printf out; printf err >&2; exit 7"))
    assert (done.code, done.stdout, done.stderr, done.overdue) == (7, b"out", b"err", None)
    assert machine.run(run(machine, "sh", "-c", "kill -9 $$")).code == -9


def test_much_is_taken_and_given_at_once(machine: Machine) -> None:
    much = os.urandom(1 << 20)
    assert machine.run(run(machine, "cat", stdin=much)).stdout == much


def test_what_is_no_program_or_may_not_be_run_is_refused_as_the_system_refuses_it(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    with pytest.raises(FileNotFoundError):
        machine.run(run(machine, "no-such-program"))
    with pytest.raises(PermissionError):
        machine.run(run(machine, str(tmp_path / "plain")))
    with pytest.raises(FileNotFoundError):
        machine.run(run(machine, "true", cwd=str(tmp_path / "nowhere")))


def test_a_command_that_takes_too_long_is_ended_with_all_of_its_group(
    machine: Machine, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $! >> {pids}; sleep 600 & echo $! >> {pids}; wait"
    begun = time.monotonic()
    done = machine.run(run(machine, "sh", "-c", script, timeout=0.5, grace=0.5))
    assert done.overdue is Overdue.TIME
    assert time.monotonic() - begun < 20
    eventually(
        lambda: not any(single.start_of(machine, int(pid)) for pid in pids.read_text().split())
    )


def test_a_command_that_is_ended_is_asked_before_it_is_made_to(
    machine: Machine, tmp_path: Path
) -> None:
    script = f"trap 'touch {tmp_path}/tidied; exit 1' TERM; echo up; while :; do sleep 0.05; done"
    assert (
        machine.run(run(machine, "sh", "-c", script, timeout=0.5, grace=10.0)).overdue
        is Overdue.TIME
    )
    assert (tmp_path / "tidied").exists()


def test_one_of_which_nothing_more_is_heard_is_ended_and_one_that_goes_on_telling_is_not(
    machine: Machine,
) -> None:
    silent = machine.run(
        run(machine, "sh", "-c", "echo begun >&2; sleep 600", silence=0.5, timeout=60)
    )
    assert (silent.overdue, silent.stderr) == (Overdue.SILENCE, b"begun\n")
    telling = machine.run(
        run(
            machine,
            "sh",
            "-c",
            "for i in 1 2 3 4 5; do echo $i >&2; sleep 0.4; done; echo end",
            silence=1.5,
        )
    )
    assert (telling.overdue, telling.stdout, telling.stderr) == (None, b"end\n", b"1\n2\n3\n4\n5\n")


def test_no_more_is_taken_than_was_wanted_of_one_that_goes_on_for_good(machine: Machine) -> None:
    done = machine.run(run(machine, "sh", "-c", "while :; do echo round; done", most=1000))
    assert (len(done.stdout), done.cut, done.overdue) == (1000, True, None)
    done = machine.run(run(machine, "echo", "short", most=1000))
    assert (done.stdout, done.cut, done.code) == (b"short\n", False, 0)
    assert machine.run(run(machine, "sleep", "600", most=10, timeout=0.3)).overdue is Overdue.TIME


def test_who_leaves_a_server_behind_that_keeps_its_outputs_is_not_waited_for(
    machine: Machine,
) -> None:
    command = run(
        machine,
        "sh",
        "-c",
        "cat; sleep 600 & echo $!",
        stdin=b"told\n",
        leaves_server=True,
        timeout=30,
    )
    done = machine.run(command)
    told, pid = done.stdout.split()
    assert (done.code, told, done.overdue) == (0, b"told", None)
    left = single.process(machine, int(pid))
    assert left.born, "it goes on"
    machine.signal([left], signal.SIGKILL)


def test_one_that_was_begun_goes_on_and_what_it_prints_is_added_to_its_file(
    machine: Machine, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    machine.append(out, b"before\n")
    script = "echo told; echo complained >&2; until test -e go; do sleep 0.02; done; exit 7"
    begun = machine.begin(run(machine, "sh", "-c", script, cwd=str(tmp_path)), out)
    assert single.is_alive(machine, *begun.id)
    assert machine.processes([begun.id.pid])[begun.id.pid].session == begun.id.pid
    assert begun.wait(0.05) is None
    (tmp_path / "go").touch()
    assert begun.wait(20) == 7
    assert out.read_bytes() == b"before\ntold\ncomplained\n"
    machine.begin(run(machine, "true"), tmp_path / "new").wait(20)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileNotFoundError):
        machine.begin(run(machine, "no-such-program"), out)


def test_several_run_side_by_side_and_answer_in_their_order(
    machine: Machine, tmp_path: Path
) -> None:
    # each waits for the other: one after the other they would never end
    meet = f"touch {tmp_path}/$0; until test -e {tmp_path}/$1; do sleep 0.02; done; echo $0"
    one, two = (
        run(machine, "sh", "-c", meet, "one", "two"),
        run(machine, "sh", "-c", meet, "two", "one"),
    )
    assert [done.stdout for done in machine.run_all([one, two])] == [b"one\n", b"two\n"]
    with pytest.raises(FileNotFoundError):
        machine.run_all([run(machine, "sleep", "600"), run(machine, "no-such-program")])


def test_programs_are_found_on_a_search_path(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "play").write_text("#!/bin/sh\n")
    assert machine.which("play", str(tmp_path)) is None
    (tmp_path / "play").chmod(0o755)
    assert machine.which("play", str(tmp_path)) == str(tmp_path / "play")
    assert machine.which("sh") is not None
    if machine.python:
        assert Path(machine.python).exists()


# --- files ----------------------------------------------------------------------------------------


@FEW
@given(NAMES, st.binary(max_size=3000), st.integers(-4000, 4000), st.integers(0, 4000))
@example(os.fsdecode(b"\n-rf $(x) \xff"), b"text", 0, 10)
def test_a_file_of_any_name_is_written_and_read_from_anywhere(
    machine: Machine,
    tmp_path: Path,
    name: str,
    content: bytes,
    offset: int,
    most: int,
) -> None:
    place = tmp_path / name
    machine.write(place, content)
    (part,) = machine.read([FileSpan(place, offset, most)])
    begin = offset if offset >= 0 else max(0, len(content) + offset)
    assert isinstance(part, FilePart)
    assert (part.data, part.offset, part.state.size) == (
        content[begin : begin + most],
        begin,
        len(content),
    )
    assert name in machine.list(place.parent)
    machine.append(place, b"more")
    assert single.content(machine, place, 10_000) == content + b"more"
    machine.remove([place, place])
    assert not single.exists(machine, place)


def test_many_are_read_at_once_each_with_what_it_is_or_why_it_cannot_be(
    machine: Machine, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        machine.write(tmp_path / name, name.encode())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("a")
    wanted = [FileSpan(tmp_path / name) for name in ("a", "none", "b", "pipe", ".", "a/x", "link")]
    a, none, b, pipe, folder, beyond, link = machine.read([*wanted])
    assert isinstance(a, FilePart)
    assert isinstance(b, FilePart)
    assert (a.data, b.data) == (b"a", b"b")
    assert a.state.identity != b.state.identity
    assert isinstance(none, FileNotFoundError)
    assert isinstance(pipe, OSError), "and it was not waited for"
    assert pipe.errno == errno.EINVAL
    assert isinstance(folder, OSError)
    assert isinstance(beyond, NotADirectoryError)
    assert isinstance(link, FilePart)
    (unfollowed,) = machine.read([FileSpan(tmp_path / "link", follow=False)])
    assert isinstance(unfollowed, OSError)


def test_a_look_tells_files_folders_and_links_apart_and_whose_they_are(
    machine: Machine, tmp_path: Path
) -> None:
    machine.write(tmp_path / "file", b"12345", mode=0o640)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nowhere")
    paths = [tmp_path / name for name in ("file", ".", "link", "broken", "none")]
    kinds = [getattr(found, "kind", type(found)) for found in machine.stat(paths)]
    assert kinds == [
        FileKind.FILE,
        FileKind.FOLDER,
        FileKind.FILE,
        FileNotFoundError,
        FileNotFoundError,
    ]
    kinds = [getattr(found, "kind", type(found)) for found in machine.stat(paths, follow=False)]
    assert kinds == [
        FileKind.FILE,
        FileKind.FOLDER,
        FileKind.LINK,
        FileKind.LINK,
        FileNotFoundError,
    ]
    found = single.state(machine, tmp_path / "file")
    assert found is not None
    assert (found.size, found.mode, found.owner) == (5, 0o640, machine.user)
    assert abs(found.modified / 1e9 - time.time()) < 60
    assert machine.real([tmp_path / "link", tmp_path / "none"]) == (
        tmp_path.resolve() / "file",
        tmp_path.resolve() / "none",
    )


def test_files_that_are_seen_together_are_told_as_they_are_afterwards(
    machine: Machine, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    machine.write(one, b"1")
    with machine.foreseen(Questions(states=[one, two, one])):
        assert (single.exists(machine, one), single.exists(machine, two)) == (True, False)
        machine.write(two, b"22")
        found = single.state(machine, two)
        assert found is not None, "what was changed by oneself is seen"
        assert found.size == 2
    one.unlink()
    assert not single.exists(machine, one)


def test_a_file_that_was_replaced_has_another_identity(machine: Machine, tmp_path: Path) -> None:
    place, seen = tmp_path / "file", []
    for text in (b"one", b"two"):
        machine.write(place, text)
        found = single.state(machine, place)
        assert found is not None
        seen.append(found.identity)
    assert seen[0] != seen[1]


def test_what_cannot_be_looked_at_is_not_taken_for_absent(machine: Machine, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links") as raised:
        single.exists(machine, loop)
    assert raised.value.errno == errno.ELOOP


def test_a_file_is_there_whole_or_not_at_all_while_it_is_written_again_and_again(
    machine: Machine, tmp_path: Path
) -> None:
    place, over = tmp_path / "file", threading.Event()
    machine.write(place, b"a" * 50_000)
    torn = []

    def look() -> None:
        while not over.is_set():
            content = single.content(machine, place, 100_000)
            if len(set(content)) != 1 or len(content) != 50_000:
                torn.append(len(content))

    looking = threading.Thread(target=look)
    looking.start()
    for letter in b"bcdefghij" * 3:
        machine.write(place, bytes([letter]) * 50_000)
    over.set()
    looking.join()
    assert torn == []
    assert [name for name in machine.list(tmp_path) if name != "file"] == []


def test_modes_are_what_was_said_and_a_persons_stay(machine: Machine, tmp_path: Path) -> None:
    place = tmp_path / "file"
    machine.write(place, b"secret", durable=True)
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o644)
    machine.write(place, b"other", keep_mode=True)
    assert place.stat().st_mode & 0o777 == 0o644
    machine.write(place, b"other")
    assert place.stat().st_mode & 0o777 == 0o600
    machine.append(tmp_path / "log", b"line\n")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_what_is_to_be_new_replaces_nothing(machine: Machine, tmp_path: Path) -> None:
    machine.write(tmp_path / "file", b"first", new=True)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        machine.write(tmp_path / "file", b"second", new=True)
    (tmp_path / "broken").symlink_to("elsewhere")
    with pytest.raises(FileExistsError):
        machine.write(tmp_path / "broken", b"second", new=True)
    assert (tmp_path / "file").read_bytes() == b"first"


def test_folders_are_made_found_renamed_and_removed(machine: Machine, tmp_path: Path) -> None:
    for _ in range(2):
        machine.make_folder(tmp_path / "a" / "b")
        machine.make_folder(tmp_path / "own", private=True)
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        machine.make_folder(tmp_path / "own", new=True)
    with pytest.raises(FileNotFoundError):
        machine.make_folder(tmp_path / "none" / "deep", new=True)
    machine.make_folder(tmp_path / "own" / "new", new=True)
    machine.remove([tmp_path / "own" / "new"])
    machine.write(tmp_path / "a" / "b" / "file", b"")
    machine.rename(tmp_path / "a", tmp_path / "c")
    assert machine.list(tmp_path / "c" / "b") == ("file",)
    with pytest.raises(OSError, match="not empty"):
        machine.remove([tmp_path / "c" / "b"])
    (tmp_path / "link").symlink_to("c")
    machine.remove([tmp_path / "link", tmp_path / "own"])
    assert (tmp_path / "c" / "b" / "file").exists(), "a link was removed, not what it leads to"
    for _ in range(2):
        machine.remove_tree(tmp_path / "c")
    assert machine.list(tmp_path) == ()
    with pytest.raises(FileNotFoundError):
        machine.list(tmp_path / "c")


def _linked_and_written(machine: Machine, below: Path, links: Sequence[Path], to: Path) -> None:
    with machine.gathered():
        for link in links:
            machine.link_below(below, link, to)
        machine.write(below / "after", b"")


def test_a_link_is_placed_below_a_folder_and_never_by_way_of_another_link(
    machine: Machine, tmp_path: Path
) -> None:
    below, other = tmp_path / "below", tmp_path / "other"
    for folder in (below, other):
        machine.make_folder(folder)
    for _ in range(2):
        machine.link_below(below, Path("deep/down/link"), other)
    assert (below / "deep/down/link").readlink() == other
    with pytest.raises(MisplacedLink) as raised:
        machine.link_below(below, Path("deep/down/link"), below)
    assert (raised.value.relative, raised.value.bent) == (Path("deep/down/link"), ""), "another one"
    (below / "bent").symlink_to(other)
    for way, bent in (("bent/link", "bent"), ("deep/down/link/link", "link")):
        with pytest.raises(MisplacedLink) as raised:
            _linked_and_written(machine, below, (Path("fine"), Path(way)), other)
        assert (raised.value.relative, raised.value.bent) == (Path(way), bent)
        assert (below / "fine").readlink() == other, "what goes before it is done"
        assert not (below / "after").exists(), "and nothing after it"
    assert list(other.iterdir()) == []


def test_a_copy_has_the_content_the_mode_and_the_times(machine: Machine) -> None:
    folder = machine.temporary_folder()
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
        machine.write(folder / "file", b"content", mode=0o640)
        os.utime(folder / "file", (1e9, 1e9))
        machine.copy(folder / "file", folder / "copy")
        told = (folder / "copy").stat()
        assert ((folder / "copy").read_bytes(), told.st_mode & 0o777) == (b"content", 0o640)
        assert told.st_mtime == 1e9
        with pytest.raises(FileNotFoundError):
            machine.copy(folder / "none", folder / "copy")
    finally:
        machine.remove_tree(folder)
    assert not folder.exists()


def test_a_lock_that_is_held_is_seen(stage: MachineBench, machine: Machine, tmp_path: Path) -> None:
    place = tmp_path / "lock"
    assert not machine.is_locked(place)
    words = "import sys, time; from pathlib import Path; from ennio.machine import files"
    held = f"{words}; files.acquire(Path(sys.argv[1])); print(flush=True); time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(place)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        stage.own(place)
        assert machine.is_locked(place)
        holder.kill()
    eventually(lambda: not machine.is_locked(place))


# --- processes ------------------------------------------------------------------------------------


def test_a_process_is_known_by_its_number_and_its_birth(
    machine: Machine, sleeper: subprocess.Popen[bytes]
) -> None:
    born = single.start_of(machine, sleeper.pid)
    found = machine.processes([sleeper.pid, 2**31 - 1])
    assert set(found) == {sleeper.pid}
    assert found[sleeper.pid].id == ProcessId(sleeper.pid, born)
    assert (found[sleeper.pid].parent, found[sleeper.pid].session) == (os.getpid(), sleeper.pid)
    assert found[sleeper.pid].group == sleeper.pid
    assert found[sleeper.pid].name == "sleep"
    assert single.is_alive(machine, sleeper.pid, born)
    assert not single.is_alive(machine, sleeper.pid, "1")
    assert not single.is_alive(machine, sleeper.pid, "")
    # the kernel tells of a new program before it has taken its words over
    eventually(lambda: machine.words(sleeper.pid) == ("sleep", "600"))
    assert machine.words(2**31 - 1) == ()


def test_one_that_has_ended_and_is_not_waited_for_lives_no_more(machine: Machine) -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert machine.processes([process.pid])[process.pid].ended
    assert single.start_of(machine, process.pid) == ""
    assert process.pid not in [other.id.pid for other in machine.others()]
    process.wait()
    assert machine.processes([process.pid]) == {}


def test_the_others_are_all_but_the_one_that_asks_and_those_above_it(
    machine: Machine, sleeper: subprocess.Popen[bytes]
) -> None:
    pids = [other.id.pid for other in machine.others()]
    assert sleeper.pid in pids
    if isinstance(machine, LocalMachine):
        assert os.getpid() not in pids
        assert os.getppid() not in pids
    else:  # those above a shell that is asked over there
        asked = machine.run(run(machine, "sh", "-c", "echo $PPID"))
        assert int(asked.stdout) not in pids
        assert 1 not in pids


def test_a_process_is_found_by_a_variable_that_it_was_given(
    machine: Machine, sleeper: subprocess.Popen[bytes]
) -> None:
    eventually(
        lambda: [found.id.pid for found, _ in machine.marked("ENNIO_TEST_MARK")] == [sleeper.pid]
    )
    assert machine.marked("ENNIO_TEST_MARK")[0][1] == "g minor"
    assert machine.marked("ENNIO_TEST_MAR") == ()


def test_a_signal_reaches_only_who_is_still_the_same(
    machine: Machine, sleeper: subprocess.Popen[bytes]
) -> None:
    found = single.process(machine, sleeper.pid)
    machine.signal([ProcessId(sleeper.pid, "1"), ProcessId(2**31 - 1, "1")], signal.SIGKILL)
    machine.signal_group(ProcessId(sleeper.pid, "1"), signal.SIGKILL)
    assert single.is_alive(machine, *found)
    machine.signal_group(found, signal.SIGTERM)
    assert sleeper.wait(30) == -signal.SIGTERM
    machine.signal([found], signal.SIGKILL)


def test_news_of_a_file_and_of_the_end_of_a_process_is_told_where_it_can_be_waited_for(
    machine: Machine, sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    watch = machine.watch()
    if watch is None:
        return
    try:
        (tmp_path / "file").write_text("old")
        if machine.name:
            assert not watch.files(FILE_NEWS, [tmp_path / "file"]), "it is looked at"
            assert not watch.process(PROCESS_NEWS, sleeper.pid)
            assert watch.wait(0.1) == frozenset()
            return
        assert watch.files(FILE_NEWS, [tmp_path / "file"])
        assert watch.process(PROCESS_NEWS, sleeper.pid)
        (tmp_path / "file").write_text("new")
        eventually(lambda: FILE_NEWS in watch.wait(5.0))
        sleeper.kill()
        eventually(lambda: PROCESS_NEWS in watch.wait(5.0))
    finally:
        watch.close()


# --- the machine itself ---------------------------------------------------------------------------


def test_it_tells_of_itself(machine: Machine, tmp_path: Path) -> None:
    assert (machine.name == "") == isinstance(machine, LocalMachine)
    assert "PATH" in machine.environ
    assert machine.home.is_absolute()
    assert machine.free_memory() > 0
    machine.append(tmp_path / "made", b"")
    (made,) = machine.stat([tmp_path / "made"])
    assert not isinstance(made, OSError)
    assert abs(machine.now() - made.modified / 1e9) < 30, "by the clock that stamps its files"
    assert 0 <= machine.slack <= CLOSE
    assert machine.free_disk(tmp_path / "not" / "there") > 0


@pytest.mark.parametrize("folder", ["near", "f" * 120])
def test_a_socket_over_there_is_reached_however_long_its_path_is(
    stage: MachineBench, machine: Machine, tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    place = tmp_path / folder / "s"
    short = Path(f"/tmp/ennio-{os.getpid()}-{len(folder)}")
    short.symlink_to(tmp_path / folder)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            with pytest.raises(FileNotFoundError):
                machine.connect(place, 5.0)
            listener.bind(str(short / "s"))
            stage.own(place)
            listener.listen()
            _heard(machine, listener, place)
        with pytest.raises(ConnectionRefusedError):
            machine.connect(place, 5.0)
    finally:
        short.unlink()


def test_a_port_over_there_is_reached(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _heard(machine, listener, listener.getsockname()[1])


def _heard(machine: Machine, listener: socket.socket, address: Path | int) -> None:
    with machine.connect(address, 5.0) as ours, listener.accept()[0] as theirs:
        ours.sendall(b"ping")
        assert theirs.recv(10) == b"ping"


def test_many_threads_may_ask_at_once(machine: Machine, tmp_path: Path) -> None:
    wrong = []

    def ask(number: int) -> None:
        for turn in range(5):
            text = f"{number}-{turn}".encode()
            machine.write(tmp_path / str(number), text)
            told = machine.run(run(machine, "cat", str(tmp_path / str(number)))).stdout
            if told != text or single.content(machine, tmp_path / str(number), 100) != text:
                wrong.append(told)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_every_question_that_can_be_asked_is_asked_here() -> None:
    asked = {name for name in vars(Machine) if not name.startswith("_")}
    files = Path(__file__), Path(__file__).with_name("test_asked_together.py")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert {name for name in asked if f"machine.{name}" not in text} == set()
