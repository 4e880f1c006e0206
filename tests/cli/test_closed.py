"""Output that closes, and Ctrl-C at any time: the command ends quietly, has done what it was
for, and says what goes on.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ennio.cli.process import ENTRY
from tests.cli.conftest import Api, Place
from tests.conftest import eventually

SESSION = {"id": "ma-1a2b3c4d", "branch": "b", "status": "working", "reason": "the agent is alive"}


def shell(
    place: Place, words: str, *, given: int | None = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """A command line with its redirections, ``ennio`` being ours."""
    line = words.replace("ennio ", f"{' '.join(place.command())} ")
    return subprocess.run(
        ["sh", "-c", line],
        cwd=place.folder,
        env=place.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=given,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize(
    "words", ["config check", "config check --json", "version", "--help", "status --help", "doctor"]
)
def test_with_closed_streams_a_command_ends_as_ever(api: Api, words: str, closed: str) -> None:
    now = shell(api.place, f"ennio {words} {closed}")
    assert now.returncode == api.ennio(*words.split()).code
    assert "Traceback" not in now.stderr
    assert "Exception" not in now.stderr


@pytest.mark.parametrize(
    "closed", [">&-", "2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full", "2> >(true)"]
)
def test_with_closed_streams_a_command_does_what_it_is_for(api: Api, closed: str) -> None:
    api.on("POST", "/sessions", SESSION)
    words = f"ennio spawn my-app -p x {closed}"
    done = shell(api.place, f"bash -c '{words}'" if ">(" in closed else words)
    assert api.last[:2] == ("POST", "/sessions")
    assert done.returncode == (1 if closed == ">/dev/full" else 0)
    assert "Traceback" not in done.stderr
    if closed == ">/dev/full":
        assert done.stderr == "ennio: standard output cannot be written: No space left on device\n"


def test_a_file_opened_later_is_never_taken_for_a_closed_stream(place: Place) -> None:
    """The number of a closed stream would be the supervisor's log or its socket, and what
    is printed would go there.
    """
    (place.folder / "ennio.yaml").write_text("port: 0\nprojects: []\n")
    done = shell(place, "ennio start --detach --timeout 30 >&- 2>&- <&-")
    try:
        assert done.returncode in (0, 1)
        assert "ennio runs at" not in "".join(
            file.read_text(errors="replace") for file in place.home.rglob("*") if file.is_file()
        )
    finally:
        shell(place, "ennio stop")


def test_a_pipe_that_closes_is_no_traceback_whatever_is_asked(api: Api) -> None:
    api.on("GET", "/events", [])
    for words in ("config schema", "--help", "completion bash", "config schema --json", "events"):
        done = shell(api.place, f"ennio {words} | true")
        assert done.stderr == "", words


@contextmanager
def begun(place: Place, *words: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        place.command(*words),
        cwd=place.folder,
        env=place.env | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_ctrl_c_while_it_is_being_loaded_is_no_traceback(place: Place) -> None:
    lib = place.home / "lib"
    lib.mkdir()
    (lib / "argparse.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    with begun(place, "status", PYTHONPATH=f"{lib}:{place.env['PYTHONPATH']}") as process:
        assert process.wait(20) == -signal.SIGINT
        assert process.communicate() == ("", "")


def test_ctrl_c_is_ignored_where_whoever_started_it_wants_that(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text("projects: []\n")
    lib = place.home / "lib"
    lib.mkdir()
    (lib / "argparse.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nraise SystemExit(7)\n"
    )
    line = f"trap '' INT; exec {' '.join(place.command('version'))}"
    env = place.env | {"PYTHONPATH": f"{lib}:{place.env['PYTHONPATH']}"}
    assert (
        subprocess.run(
            ["sh", "-c", line],
            cwd=place.folder,
            env=env,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        ).returncode
        == 7
    )


def test_ctrl_c_while_a_session_is_waited_for_tells_its_id(api: Api) -> None:
    api.on("POST", "/sessions", SESSION).on("GET", "/events/stream", "")
    for more in ([], ["--json"]):
        asked = len(api.asked)
        with begun(api.place, "spawn", "my-app", "-p", "x", "--wait", *more) as process:
            eventually(
                lambda asked=asked: any(
                    path == "/events/stream" for _, path, _, _ in api.asked[asked:]
                ),
                30,
                "it waits",
            )
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
            out, err = process.communicate()
            assert "ma-1a2b3c4d" in out
            assert "Traceback" not in err
            assert not more or json.loads(out)["id"] == "ma-1a2b3c4d"


@pytest.mark.parametrize(
    ("words", "asked", "answer", "told"),
    [
        (["spawn", "my-app", "-p", "x"], "/sessions", SESSION, "spawned ma-1a2b3c4d on b"),
        (["spawn", "my-app", "-p", "x", "--wait"], "/sessions", SESSION, "not waited for: session"),
        (["issue", "add", "my-app", "x"], "/projects/my-app/issues", {"id": "7"}, "added issue 7"),
        (
            ["pr", "create", "my-app", "-b", "b", "-t", "x"],
            "/projects/my-app/pulls",
            {"number": 9, "url": "u"},
            "#9 is open",
        ),
        (["send", "ma-1a2b3c4d", "x"], "/sessions/ma-1a2b3c4d/send", "queued", "queued for"),
    ],
)
def test_ctrl_c_between_an_order_and_its_answer_tells_what_was_made(
    api: Api, words: list[str], asked: str, answer: object, told: str
) -> None:
    (out, err), code = _interrupted(api, words, asked, answer)
    assert told in out, (out, err)
    begun = "spawned ma-1a2b3c4d on b; see: ennio session info ma-1a2b3c4d\n"
    assert (err, code) == (begun if "--wait" in words else "", 130)


def test_ctrl_c_twice_does_not_wait_for_what_is_being_made(api: Api) -> None:
    (out, err), code = _interrupted(api, ["spawn", "my-app", "-p", "x"], "/sessions", None)
    assert (out, code) == ("", 130)
    assert err == "not waited for: whether it was done is not known; see: ennio status\n"


def _interrupted(
    api: Api, words: list[str], asked: str, answer: object
) -> tuple[tuple[str, str], int]:
    """What is printed, and the code, where Ctrl-C comes while the answer is still being made: one
    that is None is never given, and Ctrl-C comes twice.
    """
    reached, pressed = threading.Event(), threading.Event()

    def made() -> object:
        reached.set()
        assert pressed.wait(60)
        return answer

    api.on("POST", asked, made).on("GET", "/sessions/ma-1a2b3c4d", SESSION)
    with begun(api.place, *words) as process:
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        eventually(lambda: _has_noted(process.pid), 30, "it has heard it")
        if answer is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        pressed.set()
        code = process.wait(30)
        return process.communicate(), code


def _has_noted(pid: int) -> bool:
    """Whether it has answered a first Ctrl-C: from then on it also listens for its alarm."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGALRM - 1) & 1)


def test_ctrl_c_while_the_supervisor_starts_says_that_it_goes_on(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text("port: 0\nprojects: []\n")
    with begun(place, "start", "--detach") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "starting the supervisor ...\n"
        eventually(lambda: _is_begun(place), 30, "it was begun")
        process.send_signal(signal.SIGINT)
        code, (out, err) = process.wait(20), process.communicate()
    try:
        assert "Traceback" not in err
        assert (code == 130 and "ennio stop" in out + err) or (code == 0 and "ennio runs at" in out)
        eventually(lambda: shell(place, "ennio status").returncode == 0, 30, "it runs")
    finally:
        eventually(
            lambda: shell(place, "ennio stop").returncode == 0, 30, "what was begun is ended"
        )


def _is_begun(place: Place) -> bool:
    """Whether there is a process; its log is there a moment before."""
    wanted = {ENTRY, str(place.folder / "ennio.yaml")}
    return any(
        wanted <= set(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    )
