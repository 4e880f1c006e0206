"""Which shards there are, and the run itself: ``python -m tests.shards [--install-agents]``, the
exit code being that of the whole.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from tests.shards.account import account
from tests.shards.lanes import BUSY, ROOT, STORIES, Job, ended_by_signals, run_all

TESTS = ROOT / "tests"
CORES = os.cpu_count() or 2
AGENTS = "agents"  # the lane of real agents

REST = ("the rest",)
NAMED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    AGENTS: {"agents": ("agents",)}
    | {
        name: (f"agents/test_{name}.py",)
        for name in ("words", "opencode", "claude_code", "aider", "whole_loop", "codex")
    },
    STORIES: {
        "e2e": ("e2e",),
        "chaos": ("e2e/test_chaos.py",),
        "nats": ("nats",),
        "faults": ("faults",),
    },
    BUSY: {
        "hands": ("plugins", "live"),
        "http": ("http",),
        "doors": ("cli", "examples", "security"),
        "far": ("ssh", "node", "sandbox", "install"),
        "dashboard": ("dashboard",),
        "slots": ("contract",),
        "actors": ("actors",),
        "rest": REST,
        "many": (
            "e2e/test_many.py",
        ),  # hundreds of agents: late, when the real ones are no longer looked at
        "forges": ("github", "linear"),  # the shortest fills what is left at the end
    },
}
"""The shards of each lane in the order of their start, long ones first. A folder is what no
other shard takes of it.
"""

INSTALL = 'root=$1; . "$root/bin/.setup.sh"; . "$root/bin/.agents.sh"; install_agents'


def shards(tests: Path, agents_after: str = "") -> Iterator[Job]:
    """All tests under this folder, each in one shard; what none of them names is in the rest, so
    that nothing is forgotten.
    """
    named = [
        tests / path
        for lane in NAMED.values()
        for paths in lane.values()
        for path in paths
        if paths != REST
    ]
    for lane, shard in NAMED.items():
        for name, paths in shard.items():
            wanted = (
                [path for path in sorted(tests.iterdir()) if path not in named]
                if paths == REST
                else [tests / path for path in paths]
            )
            found = [path for path in wanted if _tests(path, named)]
            others = [
                path
                for path in named
                if path not in found and path.exists() and any(map(path.is_relative_to, found))
            ]
            if found:
                words = (*map(str, found), *(f"--ignore={path}" for path in others))
                yield Job(name, lane, words, after=agents_after if lane == AGENTS else "")


def rooms(lane: str, lanes: AbstractSet[str]) -> int:
    """How many shards of a lane run at once: agents and stories mostly wait, and stand beside those
    that need the processor.

    Half of the cores are left to real agents as long as there are any, since what is said of them
    is judged by the second; then those that need a processor have all and one more, and yet one
    when no story is told either: each waits now and then. Stories are told one after the other
    beside them, and side by side once nothing else is left: else a core would stand idle to the
    end.
    """
    if lane == BUSY:
        return max(1, CORES // 2) if AGENTS in lanes else CORES + 1 + (STORIES not in lanes)
    return CORES if lane == AGENTS or lanes == {STORIES} else 1


def _tests(path: Path, named: list[Path]) -> bool:
    """Whether there are tests at this path that no other shard takes."""
    if path.is_dir():
        return any(file not in named for file in path.rglob("test_*.py"))
    return path.match("test_*.py") and path.exists()


def _say(words: str) -> None:
    print(words, flush=True)


def main(*words: str) -> int:
    """Run everything; the logs are kept when something failed."""
    install = "install" if "--install-agents" in words else ""
    jobs = [
        Job("ruff", BUSY, ("ruff", "check", "."), tests=False),
        Job("format", BUSY, ("ruff", "format", "--check", "."), tests=False),
        Job("mypy", BUSY, ("mypy", "--no-error-summary"), tests=False),
    ]
    if install:
        budget = float(os.environ.get("ENNIO_AGENTS_BUDGET") or 300)
        jobs.append(
            Job(
                install,
                "install",
                ("bash", "-c", INSTALL, "bash", str(ROOT)),
                tests=False,
                limit=budget,
            )
        )
    if (ROOT / "dashboard" / "node_modules").is_dir():  # bin/test sees to it, and CI insists
        verify = ("npm", "--prefix", "dashboard", "run", "--silent", "verify")
        jobs.append(Job("page", BUSY, verify, tests=False))
    jobs += shards(TESTS, install)
    place = Path(tempfile.mkdtemp(prefix="ennio-"))
    place.chmod(0o711)  # some tests give up their rights, and must still find what is theirs in it
    try:
        with ended_by_signals():
            runs = run_all(jobs, rooms, place, _say)
    except SystemExit:
        _say(f"interrupted; the logs are in {place}")
        raise
    code = account(runs, f"the logs are in {place}", _say)
    if code == 0:
        shutil.rmtree(place, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
