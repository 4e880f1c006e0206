"""``python -m tests.agents``: the files of these tests, some beside each other, for they wait more
than they work; then the figures.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.agents import figures
from tests.shards.account import account
from tests.shards.lanes import Job, ended_by_signals, run_all

HERE = Path(__file__).parent
LONGEST_FIRST = ("opencode", "whole_loop", "aider", "claude_code", "codex")
SHARE, WRONG = 0.995, 5.0
"""What is wanted of each agent over all that is played with it: the share of samples right in time;
seconds it may be wrong for.
"""
AT_ONCE = max(1, os.cpu_count() or 1)
"""More would make the agents slower than they are, and what Ennio says of them
is judged by the second.
"""


def jobs(words: tuple[str, ...]) -> Iterator[Job]:
    """One for each file, the longest first; the words go to each pytest."""
    files = {file.stem.removeprefix("test_"): file for file in sorted(HERE.glob("test_*.py"))}
    for name in (*LONGEST_FIRST, *(name for name in files if name not in LONGEST_FIRST)):
        if name in files:
            yield Job(name, "waiting", (str(files[name]), *words))


def _say(words: str) -> None:
    print(words, flush=True)


def main(*words: str) -> int:
    """Run them; the logs are kept when something failed."""
    began, place = time.monotonic(), Path(tempfile.mkdtemp(prefix="ennio-agents-"))
    os.environ[figures.FILE] = str(place / "figures")
    with ended_by_signals():
        runs = run_all(list(jobs(words)), lambda _lane, _lanes: AT_ONCE, place, _say)
    code = account(runs, f"the logs are in {place}", _say)
    played = figures.read(place / "figures")
    in_all = figures.in_all(played)
    short = [one.agent for one in in_all if one.share < SHARE or one.longest > WRONG]
    _say(f"\n{figures.table(played)}\n\n{figures.table(in_all)}")
    if short:
        _say(
            f"short of {SHARE:.1%} right within two seconds, and never wrong for more than "
            f"{WRONG:.0f} s: {', '.join(short)}"
        )
    if short and figures.overloaded():
        _say(
            f"the machine is overloaded (load {os.getloadavg()[0]:.0f} on {os.cpu_count()} "
            "cores): measure again on one that is not"
        )
    code = code or bool(short)
    _say(f"\nin {time.monotonic() - began:.0f} s, {AT_ONCE} files at once")
    if code == 0:
        shutil.rmtree(place, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
