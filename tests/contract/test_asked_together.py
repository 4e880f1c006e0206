"""What a machine is asked ahead, and what it is told to change later: each answers as if it had
been asked one by one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.machine import single
from ennio.machine.interface import Command, FileSpan, Machine
from ennio.machine.questions import NextLook, Questions
from ennio.model.errors import Refused
from tests.contract.machine_bench import MACHINES, MachineBench


@pytest.fixture(params=list(MACHINES), scope="module")
def stage(request: pytest.FixtureRequest) -> Iterator[MachineBench]:
    with MACHINES[request.param]() as made:
        yield made


@pytest.fixture
def machine(stage: MachineBench) -> Machine:
    return stage.machine


@pytest.fixture
def tmp_path(stage: MachineBench, tmp_path: Path) -> Path:
    return stage.folder(tmp_path)


def _told(machine: Machine, asked: Questions) -> list[object]:
    """The answers to all of these but of processes, which come and go."""
    return [
        *map(str, machine.stat(asked.states)),
        *map(str, machine.stat(asked.links, follow=False)),
        *machine.real(asked.real),
        *map(str, machine.read(asked.files)),
        *(sorted(_names(machine, folder)) for folder in asked.folders),
        *(machine.which(*program) for program in asked.programs),
        *machine.run_all(asked.commands),
    ]


def _names(machine: Machine, folder: Path) -> tuple[str, ...]:
    try:
        return machine.list(folder)
    except OSError as error:
        return (type(error).__name__,)


def test_what_is_asked_ahead_is_told_as_it_is_one_by_one(machine: Machine, tmp_path: Path) -> None:
    file, link, none = tmp_path / "it's a file", tmp_path / "link", tmp_path / "none"
    binary = bytes(range(256)) * 40
    machine.write(file, binary)
    machine.run(Command(("ln", "-s", str(file), str(link))))
    places = [file, link, none, tmp_path, none / "below", file / "below"]
    asked = Questions(
        states=places,
        links=places,
        real=places,
        files=[FileSpan(file), FileSpan(file, 5, 20), FileSpan(none), FileSpan(link, follow=False)],
        folders=[tmp_path, none, file],
        programs=[("sh", None), ("no-such-program", None), ("sh", str(tmp_path))],
        commands=[
            Command(("echo", "one"), only_reads=True),
            Command(("sh", "-c", "echo two >&2; exit 3"), only_reads=True),
        ],
        processes=True,
        pids=[1, 2**22 + 1],
        marked=["NOBODY_HAS_IT"],
    )
    alone = _told(machine, asked)
    with machine.foreseen(asked):
        assert _told(machine, asked) == alone
        assert machine.marked("NOBODY_HAS_IT") == ()
        assert set(machine.processes([1, 2**22 + 1])) == {1}
        assert machine.read([FileSpan(file, most=7)])[0].data == binary[:7]  # type: ignore[union-attr]
    assert _told(machine, asked) == alone


def test_a_command_that_cannot_be_begun_spoils_no_other_question(
    machine: Machine, tmp_path: Path
) -> None:
    missing = Command(("no-such-program",), only_reads=True)
    with machine.foreseen(Questions(states=[tmp_path], commands=[missing])):
        assert single.is_folder(machine, tmp_path)
        with pytest.raises(FileNotFoundError):
            machine.run(missing)


def test_what_was_changed_by_oneself_is_seen_whatever_was_asked_ahead(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    one, two, mark = folder / "one", folder / "two", tmp_path / "mark"
    asked = Questions(
        states=[folder, one, two, mark], files=[FileSpan(one), FileSpan(mark)], folders=[tmp_path]
    )
    with machine.foreseen(asked):
        assert not single.exists(machine, one)
        machine.make_folder(folder)
        assert single.is_folder(machine, folder)
        machine.write(one, b"1")
        assert single.content(machine, one, 10) == b"1"
        machine.append(one, b"1")
        assert single.content(machine, one, 10) == b"11"
        machine.rename(one, two)
        assert [single.exists(machine, path) for path in (one, two)] == [False, True]
        assert sorted(machine.list(tmp_path)) == ["folder"]
        machine.run(Command(("touch", str(mark))))
        assert single.exists(machine, mark)
        machine.run_in_turn([Command(("rm", str(mark)))], Questions(states=[mark]))
        assert not single.exists(machine, mark)
        machine.remove_tree(folder)
        assert not single.exists(machine, two)


def _next_look(tmp_path: Path) -> tuple[NextLook, Path, Path]:
    """At two files."""
    one, two = tmp_path / "one", tmp_path / "two"
    return NextLook(Questions(states=[one, two], files=[FileSpan(one), FileSpan(two)])), one, two


def _seen_next(machine: Machine, look: NextLook) -> list[bytes]:
    """What the files hold, for whoever comes with that look."""
    with machine.foreseen(look.questions, look):
        return [
            b"" if isinstance(part, OSError) else part.data
            for part in machine.read(look.questions.files)
        ]


@pytest.mark.parametrize("pause", ["", "sleep 0.5; "])
def test_a_look_of_whoever_comes_next_sees_what_a_command_did_that_was_begun_before(
    machine: Machine, tmp_path: Path, pause: str
) -> None:
    look, one, two = _next_look(tmp_path)
    words = ("sh", "-c", f'{pause}echo 1 > "$0"; exit 3', str(one))
    with machine.looking_ahead(look):
        begun = machine.begin(Command(words, env=dict(os.environ)), tmp_path / "log")
        assert begun.wait(30) == 3
    assert _seen_next(machine, look) == [b"1\n", b""]
    with machine.looking_ahead(look), machine.gathered():
        machine.write(one, b"2")
        machine.write(two, b"3")
    assert _seen_next(machine, look) == [b"2", b"3"]


def test_a_look_of_whoever_comes_next_sees_what_was_done_after_it_was_told(
    machine: Machine, tmp_path: Path
) -> None:
    for change in (
        lambda file: machine.write(file, b"2"),
        lambda file: machine.run(Command(("sh", "-c", 'printf 2 > "$0"', str(file)))),
        lambda file: machine.begin(
            Command(("sh", "-c", 'sleep 0.3; printf 2 > "$0"', str(file))), tmp_path / "log"
        ).wait(30),
    ):
        look, one, _ = _next_look(tmp_path)
        machine.write(one, b"1")
        with machine.looking_ahead(look):
            begun = machine.begin(Command(("true",), env=dict(os.environ)), tmp_path / "log")
            assert begun.wait(30) == 0
            change(one)
        assert _seen_next(machine, look)[0] == b"2"


def test_what_a_look_was_told_is_believed_for_a_moment(machine: Machine, tmp_path: Path) -> None:
    look, one, _ = _next_look(tmp_path)
    with machine.looking_ahead(look):
        machine.begin(Command(("true",), env=dict(os.environ)), tmp_path / "log").wait(30)
    machine.run(Command(("sh", "-c", 'printf 1 > "$0"', str(one))))
    look.at -= 10
    assert _seen_next(machine, look)[0] == b"1"


def test_changes_that_wait_are_there_for_the_next_question(
    machine: Machine, tmp_path: Path
) -> None:
    folder, hostile = tmp_path / "a b'c", b"it's $HOME `id` \\n%s\n"
    with machine.gathered():
        machine.make_folder(folder, private=True)
        machine.write(folder / "file", hostile, mode=0o640)
        machine.append(folder / "file", b"more")
        told = machine.run(Command(("cat", "file"), cwd=str(folder)))
        assert told.stdout == hostile + b"more"
        machine.write(folder / "large", b"\0" * 100_000)
        assert len(single.content(machine, folder / "large", 200_000)) == 100_000
        machine.remove([folder / "large"])
    assert machine.list(folder) == ("file",)
    found = single.state(machine, folder / "file")
    assert found is not None
    assert found.mode == 0o640


def test_what_is_moved_and_taken_away_waits_with_the_rest(machine: Machine, tmp_path: Path) -> None:
    one, two, tree = tmp_path / "it's one", tmp_path / "two", tmp_path / "tree"
    with machine.gathered():
        machine.make_folder(tree / "deep")
        machine.write(tree / "deep" / "file", b"1")
        machine.rename(tree / "deep" / "file", one)
        machine.remove_tree(tree)
        told = machine.run(Command(("cat", str(one))))
        machine.rename(one, two)
    assert told.stdout == b"1"
    assert machine.list(tmp_path) == ("two",)

    def of_what_is_missing() -> None:
        with machine.gathered():
            machine.rename(one, tmp_path / "three")
            machine.remove_tree(tmp_path)
            machine.run(Command(("touch", str(tmp_path / "ran"))))

    with pytest.raises(FileNotFoundError) as refused:
        of_what_is_missing()
    assert str(one) in str(refused.value.filename)
    assert machine.list(tmp_path) == ("two",)


def test_nothing_is_done_after_a_change_that_was_refused(machine: Machine, tmp_path: Path) -> None:
    def into_a_folder_that_is_missing(*, asks: bool) -> None:
        with machine.gathered():
            machine.write(tmp_path / "before", b"")
            machine.write(tmp_path / "none" / "file", b"")
            machine.write(tmp_path / "after", b"")
            if asks:
                machine.run(Command(("touch", str(tmp_path / "ran"))))

    for asks in (False, True):
        with pytest.raises(FileNotFoundError) as refused:
            into_a_folder_that_is_missing(asks=asks)
        assert str(tmp_path / "none") in str(refused.value.filename)
        assert machine.list(tmp_path) == ("before",)
    machine.write(tmp_path / "file", b"")
    with pytest.raises(Refused, match=str(tmp_path / "file")), machine.gathered():
        machine.make_folder(tmp_path / "file" / "folder", private=True)


def test_what_goes_wrong_after_a_change_does_not_undo_it(machine: Machine, tmp_path: Path) -> None:
    def failing() -> None:
        with machine.gathered():
            machine.write(tmp_path / "file", b"1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert single.content(machine, tmp_path / "file", 10) == b"1"
    with machine.gathered(), machine.gathered():
        machine.write(tmp_path / "file", b"2")
    assert single.content(machine, tmp_path / "file", 10) == b"2"


def test_commands_in_turn_end_with_the_first_that_fails(machine: Machine, tmp_path: Path) -> None:
    def appending(word: str, code: int) -> Command:
        script = f"cat; echo {word} >> log; exit {code}"
        return Command(("sh", "-c", script), cwd=str(tmp_path), stdin=word.encode())

    done = machine.run_in_turn([appending("a", 0), appending("b", 4), appending("c", 0)])
    assert [(one.code, one.stdout) for one in done] == [(0, b"a"), (4, b"b")]
    assert single.content(machine, tmp_path / "log", 100) == b"a\nb\n"
    slow = Command(("sleep", "600"), timeout=0.3, grace=0)
    patient, begun = replace(appending("d", 0), timeout=60), time.monotonic()
    (late,) = machine.run_in_turn([slow, patient])
    assert late.overdue is not None
    assert time.monotonic() - begun < 30, "it was given the time of the next one too"
    assert single.content(machine, tmp_path / "log", 100) == b"a\nb\n"
    with pytest.raises(FileNotFoundError):
        machine.run_in_turn([Command(("no-such-program",)), appending("e", 0)])
    assert machine.run_in_turn([]) == ()


def test_a_program_that_is_begun_tells_where_its_output_begins(
    machine: Machine, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with machine.gathered():
        machine.append(log, b"$ it\n")
        begun = machine.begin(Command(("echo", "x"), env=dict(os.environ)), log)
    assert begun.wait(30) == 0
    assert begun.offset == 5
    assert single.content(machine, log, 100) == b"$ it\nx\n"


def test_what_is_soon_over_and_what_takes_its_time_tell_their_ends_alike(
    machine: Machine, tmp_path: Path
) -> None:
    for pause in ("", "sleep 0.5; "):
        for end, code in (("exit 3", 3), ("kill -9 $$", -9), ("true", 0)):
            words = ("sh", "-c", f"{pause}echo =c0 9k; {end}")
            begun = machine.begin(Command(words, env=dict(os.environ)), tmp_path / "log")
            assert begun.wait(30) == code, words
            assert begun.wait(0) == code, words
    assert single.content(machine, tmp_path / "log", 1000) == b"=c0 9k\n" * 6
