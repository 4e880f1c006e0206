"""``bin/bench`` measures what it is asked for, and tells it in the shape that is promised; how fast
anything is is no matter of tests.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import __main__ as program
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import Shortfall
from tests.bench.table import table
from tests.conftest import need

BENCH = Path(__file__).parents[2] / "bin" / "bench"
KEYS = {"value", "unit", "baseline", "ratio", "wanted", "ok"}
PROMISED = (
    *(
        "spawn.10",
        "spawn.100",
        "spawn.500",
        "memory.session",
        "memory.supervisor",
        "cpu.idle.100",
        "subprocesses.500",
        "requests.500",
    ),
    *(
        "adoption.10",
        "adoption.1000",
        "event.p50",
        "event.p95",
        "event.p99",
        "transitions",
        "watched.transitions",
        "store.postgres",
        "reads",
        "status.100",
        "status.token",
        "start.supervisor",
        "start.command",
    ),
    *(
        "hook.to_terminal",
        "webhook.to_terminal",
        "prompt.verified",
        "prompt.from_spawn",
        "proxy",
        "proxy.first",
        "written.idle.100",
        "stream.cpu",
        "board.frame",
        "board.first",
        "board.first.rows",
    ),
    *(
        "ssh.spawn",
        "ssh.spawn.ways",
        "ssh.send",
        "ssh.send.ways",
        "ssh.remove",
        "ssh.remove.ways",
        "ssh.look.50",
        "ssh.look.50.ways",
        "ssh.look.200",
        "ssh.look.200.ways",
        "ssh.idle",
        "ssh.hook",
        "ssh.memory",
    ),
)


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    need("git")
    return subprocess.run(
        [str(BENCH), *words], capture_output=True, text=True, timeout=240, check=False
    )


def test_figures_come_as_json_and_progress_beside_them() -> None:
    names = {"transitions", "requests.10", "usage"}  # the last one's bare rows follow our tables
    done = bench("--quick", "--json", *(word for name in names for word in ("--only", name)))
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) == names
    assert all(set(figure) == KEYS for figure in figures.values())
    transitions = figures["transitions"]
    assert transitions["wanted"] == "≥ 0.5×"
    assert transitions["ratio"] == pytest.approx(
        transitions["value"] / transitions["baseline"], rel=0.01
    )
    assert transitions["ok"] is (transitions["ratio"] >= 0.5)
    assert "transitions ..." in done.stderr


def test_what_is_no_figure_is_refused_with_those_there_are() -> None:
    done = bench("--only", "speed")
    assert done.returncode == 2
    assert "there is no figure speed" in done.stderr
    assert "spawn.100" in done.stderr


def test_help_names_the_figures_and_what_the_exit_code_means() -> None:
    done = bench("--help")
    assert done.returncode == 0
    assert "webhook.to_terminal" in "".join(done.stdout.split())
    assert "exit code is 0 when all" in " ".join(done.stdout.split())


def test_what_could_not_be_measured_is_told_and_spares_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(run: Run) -> Iterator[Figure]:
        yield Figure("a", 1.0, "s")
        raise Shortfall("nobody came")

    groups = (
        Group(("a", "b"), breaks),
        Group(("c",), lambda _run: iter([Figure("c", 3.0, "s", 2.0, Wanted("ratio", 1.0))])),
    )
    monkeypatch.setattr(program, "GROUPS", groups)
    assert program.main(["--json"]) == 1
    out, err = capsys.readouterr()
    assert set(json.loads(out)) == {"a", "c"}
    assert "NOT MEASURED: nobody came" in err
    assert program.main(["--only", "c"]) == 0, "to fall short is no failure"
    assert "falls short by 1.5" in capsys.readouterr().out


def test_every_name_is_there_once() -> None:
    names = [name for group in program.GROUPS for name in group.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", PROMISED)
def test_every_promise_has_a_figure(family: str) -> None:
    names = [name for group in program.GROUPS for name in group.names]
    assert any(name == family or name.startswith(f"{family}.") for name in names)


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 3.0, "s", 2.0, Wanted("ratio", 1.5)), "ok"),
        (Figure("a", 6.0, "s", 2.0, Wanted("ratio", 1.5)), "falls short by 2×"),
        (
            Figure("a", 2.0, "per second", 10.0, Wanted("ratio", 0.4, most=False)),
            "falls short by 2×",
        ),
        (Figure("a", 1.0, "bytes", None, Wanted("value", 0.0)), "falls short"),
        (Figure("a", 0.0, "bytes", None, Wanted("value", 0.0)), "ok"),
        (Figure("a", 1.0, "s", 2.0), "0.50×"),
    ],
)
def test_the_table_says_what_falls_short_and_by_how_much(figure: Figure, verdict: str) -> None:
    assert table([figure]).splitlines()[1].endswith(verdict)
