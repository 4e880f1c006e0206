"""What every runtime promises of words: what is typed arrives as it is,
what is shown can be read.
"""

from __future__ import annotations

import os
import pty
import select
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ennio.model.errors import Invalid, NotFound
from ennio.model.session import RuntimeHandle
from ennio.plugins.runtime.interface import Key
from tests.conftest import eventually
from tests.contract.runtime_bench import Bench

NASTY = (
    'it\'s a "quote"',
    "two\nlines\n\nand a tab\there",
    "ends with a semicolon;",
    "-leading dash",
    "Enter",
    "C-c",
    "$(touch /tmp/owned) `id` ${HOME} #{pane_id} %1 \\; !x",
    "umlaut ö, 漢字, 🙂, zero\u200bwidth",
    "\x1b[31mred\x1b[0m and \x03 and \x7f",
    "x" * 150_000 + "end",
)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_incident_48_any_text_arrives_unchanged_as_one_paste(bench: Bench, text: str) -> None:
    handle = bench.start()
    bench.runtime.paste(handle, text)
    assert bench.received(b"\x1b[201~") == b"\x1b[200~" + text.encode() + b"\x1b[201~"


def test_a_text_cannot_break_out_of_its_paste(bench: Bench) -> None:
    handle = bench.start()
    bench.runtime.paste(handle, "a\x1b[201~rm -rf\r\x9b201~b")
    received = bench.received(b"b\x1b[201~")
    assert received.count(b"\x1b[201~") == 1
    assert "\x9b".encode() not in received


def test_a_nul_is_refused_by_name(bench: Bench) -> None:
    handle = bench.start()
    with pytest.raises(Invalid, match="NUL"):
        bench.runtime.paste(handle, "a\0b")


def test_incident_26_lines_arrive_as_one_paste_and_enter_is_a_key_of_its_own(real: Bench) -> None:
    handle = real.start()
    real.runtime.paste(handle, "one\ntwo")
    real.runtime.press(handle, Key.ENTER)
    assert real.received(b"\r") == b"\x1b[200~one\ntwo\x1b[201~\r"


def test_every_key_arrives_as_its_byte(real: Bench) -> None:
    handle = real.start()
    for key in (
        Key.ERASE,
        Key.CLEAR,
        Key.INTERRUPT,
        Key.UP,
        Key.DOWN,
        Key.RIGHT,
        Key.LEFT,
        Key.ESCAPE,
        Key.ENTER,
    ):
        real.runtime.press(handle, key)
    assert real.received(b"\r") == b"\x7f\x15\x03\x1b[A\x1b[B\x1b[C\x1b[D\x1b\r"


def test_what_is_not_there_cannot_be_typed_to_or_read(bench: Bench) -> None:
    nobody = RuntimeHandle(bench.name, bench.runtime.name)
    for call in (
        lambda: bench.runtime.paste(nobody, "x"),
        lambda: bench.runtime.press(nobody, Key.ENTER),
        lambda: bench.runtime.output(nobody, 5),
    ):
        with pytest.raises(NotFound, match=bench.name):
            call()


def test_text_for_an_agent_that_has_ended_is_not_swallowed(bench: Bench) -> None:
    handle = bench.start()
    bench.end(handle, exit_code=3)
    with pytest.raises(NotFound, match="ended"):
        bench.runtime.paste(handle, "x")


def test_screens_show_every_terminal_asked_for_and_leave_out_the_gone(real: Bench) -> None:
    names = [f"{real.name}-{index}" for index in range(3)]
    for index, name in enumerate(names):
        real.runtime.start(
            real.launch(
                "sh",
                "-c",
                f"printf '\\033[1mline\\033[0m one\\nagent {index}\\n'; exec sleep 60",
                name=name,
            )
        )
    eventually(
        lambda: all(
            f"agent {i}" in real.runtime.screens(names).get(name, "")
            for i, name in enumerate(names)
        )
    )
    assert real.runtime.screens([*names, "nobody"]) == {
        name: f"line one\nagent {index}" for index, name in enumerate(names)
    }
    assert real.runtime.screens(names[:1], lines=1) == {names[0]: "agent 0"}
    real.runtime.stop(RuntimeHandle(names[1], real.runtime.name))
    assert (
        set(real.again().screens(names)) == set(real.runtime.screens(names)) == {names[0], names[2]}
    )


def test_a_view_tells_the_cursor_and_which_letters_are_faint(real: Bench) -> None:
    """Hints are drawn dim or grey, and nobody may take them for words; what stands right of the
    cursor is somebody's all the same.
    """
    drawn = "> \\033[2mdim\\033[22m \\033[38;5;246mgrey\\033[39m \\033[1;31mwords\\033[0m\\033[3D"
    real.runtime.start(real.launch("sh", "-c", f"printf '{drawn}'; exec sleep 60"))
    eventually(lambda: "words" in real.runtime.screens([real.name]).get(real.name, ""))
    view = real.runtime.views([real.name, "nobody"])[real.name]
    assert set(real.runtime.views([real.name, "nobody"])) == {real.name}
    assert (view.lines[0].rstrip(), view.strong[0].rstrip()) == (
        "> dim grey words",
        ">          words",
    )
    assert (view.column, view.row, view.cursor, view.scrolled) == (13, 0, True, False)
    assert view.text == "> dim grey words"


def test_a_cursor_that_is_hidden_is_told(real: Bench) -> None:
    real.runtime.start(real.launch("sh", "-c", "printf 'a list\\033[?25l'; exec sleep 60"))
    eventually(lambda: "a list" in real.runtime.screens([real.name]).get(real.name, ""))
    assert not real.runtime.views([real.name])[real.name].cursor


def test_output_reaches_back_to_what_scrolled_away(real: Bench) -> None:
    handle = real.runtime.start(real.launch("sh", "-c", "seq 1 500; exec sleep 60"))
    eventually(lambda: real.runtime.output(handle, 3) == "498\n499\n500")
    assert real.runtime.output(handle, 400).split("\n") == [
        str(number) for number in range(101, 501)
    ]


def test_output_is_there_after_the_end(real: Bench) -> None:
    handle = real.runtime.start(real.launch("sh", "-c", "echo last words; exit 7"))
    eventually(lambda: real.pane().dead)
    assert real.pane().exit_code == 7
    assert real.runtime.output(handle, 10) == "last words"


def test_the_survey_tells_title_and_time_of_the_last_output(real: Bench) -> None:
    real.start()
    eventually(lambda: real.pane().title == "a|title")
    assert real.pane().output_at is not None


@contextmanager
def attached(bench: Bench, handle: RuntimeHandle) -> Iterator[int]:
    """A person's terminal that runs the attach command."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        command = bench.runtime.attach_command(handle)
        os.execvp(command[0], command)  # noqa: S606
    try:
        yield master
    finally:
        os.close(master)  # hangs up whatever still runs there
        os.waitpid(pid, 0)


def read_until(master: int, words: bytes) -> None:
    seen = b""
    while words not in seen:
        if not select.select([master], [], [], 20)[0]:
            pytest.fail(f"the terminal never showed {words!r}: {seen!r}")
        try:
            seen += os.read(master, 4096)
        except OSError:
            pytest.fail(f"the terminal closed before it showed {words!r}: {seen!r}")


def test_a_person_can_attach_type_and_leave_and_the_agent_goes_on(real: Bench) -> None:
    handle = real.start()
    with attached(real, handle) as terminal:
        read_until(terminal, b"READY")
        os.write(terminal, b"hello")
        assert real.received(b"hello") == b"hello"
        for key in (b"\x02", b"d") if real.runtime.name == "tmux" else (b"\x1d",):
            select.select(
                [], [], [], 0.05
            )  # keys that follow each other at once are a paste to tmux
            os.write(terminal, key)
        read_until(terminal, b"detached")
    assert not real.pane().dead
    real.runtime.paste(handle, "after")
    assert real.received(b"after\x1b[201~")
