"""``ennio demo``: the whole story as a person sees it, in both runtimes, at a
terminal and without one.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import need
from tests.e2e.house import ROOT

pytestmark = pytest.mark.e2e

LIMIT = 60.0
STEPS = {
    "greet": [
        "spawning",
        "working",
        "pr_open",
        "ci_failed",
        "changes_requested",
        "approved",
        "merged",
    ],
    "notes": ["spawning", "working", "merge_conflicts", "approved", "merged"],
    "silent": ["spawning", "working"],
}
SABOTAGE = (
    "import sys; from ennio.demo import scene; from ennio.cli.main import main; scene.CHECK = "
    "'exit 1'; sys.exit(main())"
)
NEVER_PASSES = ("-c", SABOTAGE, "demo", "--json", "--speed", "4", "--limit", "40")
DEMO = ("-m", "ennio.cli", "demo", "--speed", "2")


@dataclass(slots=True)
class Play:
    """One demo that plays in a process of its own; ``folder`` is all it may write to.

    ``cut``: what befalls it once it has spoken its first line: a signal, or (SIGPIPE)
    nobody listens any more.
    """

    folder: Path
    words: tuple[str, ...]
    terminal: bool = False
    cut: signal.Signals | None = None
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    out: bytes = b""
    err: bytes = b""
    process: subprocess.Popen[bytes] = field(init=False)
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        env = kept | {
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
        }
        ours, theirs = pty.openpty() if self.terminal else (None, subprocess.PIPE)
        if ours is not None:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 150, 0, 0))
        given = theirs if ours else subprocess.DEVNULL
        self.process = subprocess.Popen(
            (sys.executable, *self.words),
            cwd="/",
            env=env,
            stdin=given,
            stdout=theirs,
            stderr=theirs,
        )
        if ours is not None:
            os.close(theirs)
        self.reader = threading.Thread(target=self._read, args=(ours,), daemon=True)
        self.reader.start()

    def _read(self, terminal: int | None) -> None:
        if self.cut is not None:
            self._cut_short(self.cut)
        elif terminal is None:
            self.out, self.err = self.process.communicate()
        else:
            with suppress(OSError):
                while data := os.read(terminal, 65536):
                    self.out += data
            self.process.wait()
        self.seconds = time.monotonic() - self.begun

    def _cut_short(self, cut: signal.Signals) -> None:
        assert self.process.stdout is not None
        self.out = self.process.stdout.readline()
        if cut is signal.SIGPIPE:
            self.process.stdout.close()
        else:
            self.process.send_signal(cut)
        self.process.wait()

    def ended(self) -> int:
        """Wait for its end and return the exit code."""
        self.reader.join(LIMIT + 30)
        code = self.process.poll()
        assert code is not None, "the demo does not end"
        return code

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def left(self) -> dict[int, str]:
        """Processes that still have this folder as part of their environment."""
        found = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("ENNIO_HOME", "").startswith(str(self.folder)):
                    found[process.pid] = " ".join(process.cmdline())[:150]
        return found

    def clear(self) -> None:
        """Whatever happened, end it and what it started."""
        for pid in (self.process.pid, *self.left()):
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        subprocess.run(
            ["tmux", "-L", f"ennio-demo-{self.process.pid}", "kill-server"],
            capture_output=True,
            check=False,
        )


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Play]]:
    """All of them at once: they must not get into each other's way."""
    need("git")
    need("tmux")
    root = tmp_path_factory.mktemp("plays")
    orders = {
        "tmux": (*DEMO, "--json", "--runtime", "tmux"),
        "process": (*DEMO, "--json", "--runtime", "process"),
        "lines": (*DEMO, "--keep"),
        "terminal": DEMO,
        "sabotaged": NEVER_PASSES,
    }
    begun = {name: Play(root / name, words, name == "terminal") for name, words in orders.items()}
    yield begun
    for play in begun.values():
        play.clear()


@pytest.mark.parametrize("runtime", ["tmux", "process"])
def test_the_story_ends_well_within_a_minute_and_is_told_in_one_document(
    plays: dict[str, Play], runtime: str
) -> None:
    play = plays[runtime]
    code = play.ended()
    document = play.document
    assert (code, document["ok"]) == (0, True), (document, play.err.decode())
    assert play.seconds < LIMIT
    assert set(document) == {
        "ok",
        "seconds",
        "sessions",
        "reactions",
        "crashes",
        "events",
        "last_seq",
        "notices",
        "ledger",
        "budget",
        "question",
    }
    assert document["question"] == {"by": "the demo", "answer": "1"}
    assert 0 < document["seconds"] < play.seconds
    assert document["crashes"] == ["actor", "worker"]
    told = [(notice["reaction"], notice["sent"]) for notice in document["notices"]]
    # a question that is answered before anybody could be told of it is no news any more
    assert {key for key, _ in told} - {"agent-needs-input"} == {
        "agent-stuck",
        "all-complete",
        "budget-warning",
        "budget-exceeded",
    }
    assert all(sent == ["events", "person"] for _, sent in told)
    assert document["last_seq"] == sum(document["events"].values()), (
        "every event was seen once, across both crashes"
    )
    sessions = {session["role"]: session for session in document["sessions"]}
    ledger = document["ledger"]
    assert ledger["debits"] == ledger["credits"]
    costs = [Decimal(session["cost_usd"]) for session in sessions.values() if session["cost_usd"]]
    assert (ledger["entries"] >= 2, Decimal(ledger["debits"])) == (True, sum(costs))
    budget = document["budget"]
    assert [budget[kind] for kind in ("budget_exceeded", "session_paused", "session_resumed")] == [
        1
    ] * 3
    assert budget["budget_warning"] >= 1
    assert Decimal(budget["used"]) <= Decimal(budget["limit"]), "it was raised"
    assert set(sessions) == set(STEPS)
    for role, steps in STEPS.items():
        session = sessions[role]
        assert {"id", "status", "statuses", "pull_request"} <= set(session)
        went = iter(session["statuses"])
        assert all(step in went for step in steps), f"{role} went through {session['statuses']}"
        assert session["status"] == ("working" if role == "silent" else session["status"])
    assert {sessions[role]["pull_request"] for role in ("greet", "notes")} == {1, 2}
    attempts = {
        (told["session"], told["reaction"]): told["attempts"] for told in document["reactions"]
    }
    greet, notes, silent = (sessions[role]["id"] for role in ("greet", "notes", "silent"))
    wanted = {
        (greet, "ci-failed"): 1,
        (greet, "changes-requested"): 1,
        (notes, "merge-conflicts"): 1,
        (silent, "agent-stuck"): 1,
    }
    # an agent whose turn was over when its budget was used up needs no words to go on
    assert attempts.pop((greet, "budget-exceeded"), 1) == 1
    assert attempts == wanted


def test_without_a_terminal_it_prints_a_line_for_each_event_and_keeps_its_folder_when_told(
    plays: dict[str, Play],
) -> None:
    play = plays["lines"]
    assert play.ended() == 0, play.err.decode()
    text = play.out.decode()
    assert "\x1b" not in text
    for words in (
        "you ask for a session",
        "answered for you: Yes, git will tell",
        "git, the processes and the pull requests are real",
        "pull request #1: Write a file",
        "is told which check failed, and why",
        "gets a kill -9",
        "a person is called",
        "#2 is merged",
        "all 2 sessions of score have ended",
    ):
        assert words in text
    told = re.findall(r"(?:you get a notice|a person is called): (.*)", text)
    assert [text.count(one) for one in told] == [1] * len(told), "each notice is told once"
    assert len(told) > 3
    assert "All that should merge has merged." in text
    kept = next(play.folder.glob("ennio-demo-*"))
    assert f"The demo's folder is kept: {kept}" in text
    done = subprocess.run(
        ["git", "log", "--format=%s", "main"],
        cwd=kept / "score.git",
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 3
    assert (kept / "supervisor.log").exists()
    assert (kept / "score" / "ennio.db").exists()


def test_at_a_terminal_it_paints_live_and_ends_with_the_table(plays: dict[str, Play]) -> None:
    play = plays["terminal"]
    code = play.ended()
    text = play.out.decode(errors="replace")
    assert code == 0, text[-3000:]
    assert text.count("\x1b[?1049h") == text.count("\x1b[?1049l") == 1
    live, _, after = text.partition("\x1b[?1049l")
    assert live.count("ennio demo") > 20, "it was painted again and again"
    for status in ("working", "ci_failed", "changes_requested", "merge_conflicts"):
        assert status in live
    assert "WENT THROUGH" not in live
    assert "WENT THROUGH" in after
    assert "All that should merge has merged." in after


def test_a_story_whose_check_never_passes_is_told_as_a_failure(plays: dict[str, Play]) -> None:
    play = plays["sabotaged"]
    assert play.ended() == 1, play.err.decode()
    assert play.document["ok"] is False
    went = [session["statuses"] for session in play.document["sessions"]]
    assert any("ci_failed" in statuses for statuses in went), went
    assert not any("merged" in statuses for statuses in went), went


def test_nothing_is_left_behind_but_the_folder_that_was_to_be_kept(plays: dict[str, Play]) -> None:
    for name, play in plays.items():
        play.ended()
        assert play.left() == {}, f"{name} leaves processes"
        assert len(list(play.folder.glob("ennio-demo-*"))) == (1 if name == "lines" else 0), name
        done = subprocess.run(
            ["tmux", "-L", f"ennio-demo-{play.process.pid}", "list-sessions"],
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0, f"{name} leaves a tmux server"


@pytest.mark.parametrize(
    "cut",
    [signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP, signal.SIGINT],
    ids=lambda cut: str(cut.name),
)
def test_a_demo_that_is_cut_short_leaves_nothing_behind(
    tmp_path: Path, cut: signal.Signals
) -> None:
    need("git")
    play = Play(tmp_path / "cut", (*DEMO, "--runtime", "process"), cut=cut)
    try:
        assert play.ended() == 128 + cut, play.out
        assert play.out
        assert play.left() == {}
        assert list(play.folder.glob("ennio-demo-*")) == []
    finally:
        play.clear()
