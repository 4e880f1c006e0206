"""The play itself: set the scene, start the supervisor, let the director direct,
show it, judge it, clear up.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from ennio.board.printing import note, out
from ennio.demo import browser, report, scene
from ennio.demo.director import Director
from ennio.demo.screen import DemoScreen
from ennio.http import client
from ennio.machine.home import Home
from ennio.machine.places import person
from ennio.model.errors import EnnioError, Invalid, Refused, Unreachable
from ennio.model.plugin_names import offered
from ennio.model.printable import json_text
from ennio.plugins.shipped import known

LIMIT = 60.0
READY = 20.0
LOOK = 0.15
GONE = 5.0
ANSWERED_AFTER = 1.5
"""Seconds after which a question is answered for who looks on."""
LEFT_TO_A_PERSON = 120.0
"""The same, where they have the page in front of them and can answer it themselves."""
_OF_ONES_OWN = "command"


def main(options: argparse.Namespace) -> int:
    """Play the demo with what ``declare`` declared, and ``json``; 0 only if all that
    should merge has merged.
    """
    try:
        _check_agent(options.agent)
        with _interrupted_by(signal.SIGTERM, signal.SIGHUP), _folder(keep=options.keep) as root:
            set_up = scene.build(root, options.agent, options.speed, options.runtime)
            outcome = _play(set_up, options)
    except KeyboardInterrupt:
        return 130
    except EnnioError as error:
        _tell_error(error, as_json=options.json)
        return error.exit_code
    if options.json:
        out(json_text(json.dumps(outcome, indent=2)))
    else:
        out(report.table(outcome))
        out(
            report.farewell(
                outcome,
                root if options.keep else None,
                set_up.environment() if options.keep else None,
            )
        )
    return 0 if outcome["ok"] else 1


@contextmanager
def _interrupted_by(*numbers: signal.Signals) -> Iterator[None]:
    """A terminal that is closed, or a ``kill``, ends the play as Ctrl-C
    does: in order, and once.
    """

    def interrupt(number: int, _frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup: it is to go on
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is begun in here is known to who ends it, before anything interrupts the play."""
    came: list[int] = []
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heard = [number for number in ends if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        os.kill(os.getpid(), came[0])


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    """A folder for the play, gone afterwards however the play ends."""
    try:
        root = Path(tempfile.mkdtemp(prefix="ennio-demo-"))
    except OSError as error:
        home = shlex.quote(str(person()))
        raise Refused(
            f"the demo plays in a folder for temporary files, and none can be made "
            f"({(error.strerror or str(error)).lower()}): export TMPDIR={home}   or another folder "
            "that you can write to"
        ) from error
    try:
        yield root
    finally:
        if not keep:
            _clear(root)


def _clear(root: Path) -> None:
    """What has just been ended may still write or take away a file, and a removal that
    meets it stops half-way.
    """
    deadline = time.monotonic() + GONE
    while root.exists() and time.monotonic() < deadline:
        shutil.rmtree(root, ignore_errors=True)
        if root.exists():
            time.sleep(LOOK)


def _check_agent(name: str) -> None:
    """Raise Invalid for an agent that the demo cannot play with, before anything is made."""
    there = known()["agent"]
    if name == _OF_ONES_OWN:
        raise Invalid(
            f"--agent: what `{name}` runs is written in a configuration, and the demo writes its "
            "own: name another agent"
        )
    if name not in there:
        from ennio.config.fields import hint  # noqa: PLC0415 - marshmallow, for who mistyped alone

        names = [one for one in offered(there) if one != _OF_ONES_OWN]
        raise Invalid(f"--agent: `{name}` is no agent plugin: {hint(name, names)}")


def _tell_error(error: EnnioError, *, as_json: bool) -> None:
    if as_json:
        out(json_text(json.dumps({"ok": False, "error": str(error), "code": error.exit_code})))
    else:
        note(f"ennio demo: {error}")


def declare(parser: argparse.ArgumentParser) -> None:
    """The demo's own options; ``--json`` is everybody's."""
    parser.add_argument(
        "--agent",
        default="scripted",
        metavar="NAME",
        help="play the same story with a real agent: claude-code, aider ...",
    )
    parser.add_argument(
        "--speed",
        type=_above_nothing,
        default=1.0,
        metavar="TIMES",
        help="2 is twice as fast (scripted agent)",
    )
    parser.add_argument(
        "--open",
        action="store_true",
        dest="opens",
        help="show the story in a browser too; it stays until you press Enter",
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder, to look around in it")
    parser.add_argument(
        "--runtime", choices=("tmux", "process"), help="default: tmux where there is one"
    )
    parser.add_argument(
        "--limit",
        type=_above_nothing,
        metavar="SECONDS",
        help="give up after (default 60; 1200 with a real agent)",
    )


def _above_nothing(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def _limit(options: argparse.Namespace) -> float:
    return float(options.limit or (LIMIT if options.agent == "scripted" else 20 * LIMIT))


def _patience(options: argparse.Namespace) -> float:
    if options.opens and sys.stdin.isatty():
        return LEFT_TO_A_PERSON
    return ANSWERED_AFTER / float(options.speed)


def _play(set_up: scene.Scene, options: argparse.Namespace) -> dict[str, Any]:
    begun = time.monotonic()
    with ExitStack() as stack:
        screen = stack.enter_context(DemoScreen(quiet=options.json))
        if set_up.runtime == "process" and options.runtime is None:
            screen.say("demo", "tmux is not installed, so the agents run in the process runtime")
        supervisor = stack.enter_context(_Supervisor(set_up))
        screen.begin()
        if options.opens:
            browser.show(supervisor.client, screen.say)
            screen.say("demo", f"and in another terminal: {report.board_of(set_up)}")
        patience = _patience(options)
        director = Director(supervisor.client, screen.say, patience=patience)
        stack.callback(supervisor.end_agents)  # also when nobody watches any more
        director.spawn()
        finished = _watch(director, screen, begun + _limit(options) + patience)
        outcome = report.outcome(director, time.monotonic() - begun, finished=finished)
        if options.opens:
            browser.stay(screen, director.sessions)
        return outcome


def _watch(director: Director, screen: DemoScreen, deadline: float) -> bool:
    """Follow the events until the story is over; False when the time is up before."""
    while not director.over and time.monotonic() < deadline:
        try:
            events, _ = director.client.page("/events", after=director.last_seq)
            sessions = director.sessions()
            screen.show(sessions)
            director.look(sessions)
        except (client.NoSupervisor, Unreachable):
            events = []
            screen.wait("the worker was killed; the next one is on its way")
        for event in events:
            screen.event(event, director)
            director.on(event)
        if not events:
            time.sleep(LOOK)
    return director.over


class _Supervisor:
    """The demo's supervisor process: started, waited for, ended with all it started."""

    def __init__(self, set_up: scene.Scene) -> None:
        self._scene = set_up
        self._log = set_up.root / "supervisor.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.client: client.ApiClient

    def __enter__(self) -> Self:
        try:
            self._begin()
            self.client = self._answering()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        with self._log.open("wb") as log, _uninterrupted():
            self._process = subprocess.Popen(
                (sys.executable, "-m", "ennio.supervise", "--config", str(self._scene.config)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._scene.environment(),
                start_new_session=True,
            )

    def _answering(self) -> client.ApiClient:
        deadline = time.monotonic() + READY
        while (
            time.monotonic() < deadline
            and self._process is not None
            and self._process.poll() is None
        ):
            try:
                found = client.find(self._scene.config, Home(self._scene.home), lambda: None)
                found.get("/health")
            except (client.NoSupervisor, Unreachable):
                time.sleep(0.05)
            else:
                return found
        words = self._log.read_text(errors="replace").strip().splitlines()[-15:]
        raise EnnioError("the supervisor did not come up:\n" + "\n".join(words))

    def end_agents(self) -> None:
        """Nobody plays on when the curtain is down: also an agent whose work is merged
        still sits at its terminal.

        The supervisor is asked who plays: an interrupted director may not know
        whom it has just asked for.
        """
        deadline = time.monotonic() + READY
        with suppress(EnnioError):
            while (playing := self.client.get("/sessions")) and time.monotonic() < deadline:
                for session in playing:
                    with suppress(EnnioError):  # one that has ended cannot be killed
                        self.client.delete(f"/sessions/{session['id']}")
                self.client.post("/cleanup", {"force": True})
                time.sleep(LOOK)

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)  # its workers too
        if self._scene.runtime == "tmux":
            socket = self._scene.environment()["ENNIO_TMUX_SOCKET"]
            subprocess.run(
                ("tmux", "-L", socket, "kill-server"), capture_output=True, check=False, timeout=10
            )
