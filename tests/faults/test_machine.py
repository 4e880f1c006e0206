"""What befalls the machine around a house: terminals that are killed, a blocked hub, a clock that
jumps, many deaths at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from ennio.model.errors import NotFound
from tests.conftest import eventually
from tests.e2e import account
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn
from tests.e2e.persons import AWAY
from tests.faults.account import settle
from tests.faults.plan import happened, read
from tests.faults.stage import Told, names_of, play, side_by_side
from tests.faults.story import told
from tests.frozen import freeze

pytestmark = pytest.mark.e2e

UNSAVED = [{"edit": {"file": "mine.txt", "content": "not committed\n"}}, {"say": "..."}, "hang"]


def waiting(ground: Ground, **settings: Any) -> dict[str, Any]:
    """A project whose agents write a line they do not commit, and are never heard of again."""
    return project(ground, agent_config=story(turn("prompt", UNSAVED)), **settings)


def unsaved(house: Supervised, name: str) -> bool:
    """Whether the agent's uncommitted line is still there."""
    return (
        house.ground.home / "worktrees" / "score" / name / "mine.txt"
    ).read_text() == "not committed\n"


def at_work(house: Supervised, count: int) -> list[str]:
    """So many sessions, all of them past their first line."""
    names = [house.spawn(f"Number {number}") for number in range(count)]
    for name in names:
        house.becomes(name, "working", within=90)
    eventually(
        lambda: all(
            (house.ground.home / "worktrees" / "score" / name / "mine.txt").exists()
            for name in names
        ),
        60,
    )
    return names


def test_a_killed_tmux_server_ends_every_agent_once_and_loses_no_line(tmp_path: Path) -> None:
    with supervised(tmp_path, waiting) as house:
        names = at_work(house, 3)
        house.ground.tmux("kill-server")
        for name in names:
            assert house.becomes(name, "exited")["reason"]
            assert unsaved(house, name)
        exits = [
            event["session_id"]
            for event in house.events()
            if event["event_type"] == "session_exited"
        ]
        assert sorted(exits) == sorted(names)
        for name in names:
            house.client.post(f"/sessions/{name}/restore")
            house.becomes(name, "working")
        assert [
            *account.lives(house.ground, dict.fromkeys(names, 2)),
            *account.statuses(house.ground),
        ] == []


def test_a_killed_pane_ends_its_session_alone(tmp_path: Path) -> None:
    with supervised(tmp_path, waiting) as house:
        one, other = at_work(house, 2)
        house.ground.tmux("kill-session", "-t", f"={one}")
        house.becomes(one, "exited")
        assert house.session(other)["status"] == "working"
        assert unsaved(house, one)
        house.client.post(f"/sessions/{one}/restore")
        house.becomes(one, "working")
        assert [
            *account.lives(house.ground, {one: 2, other: 1}),
            *account.statuses(house.ground),
        ] == []


def test_twenty_actors_that_crash_at_once_are_one_outage_and_no_agent_notices(
    tmp_path: Path,
) -> None:
    def idle(ground: Ground) -> dict[str, Any]:
        return waiting(ground, runtime="process")

    with supervised(
        tmp_path, idle, poll={"runtime": "500ms", "agent": "500ms", "forge": "2s"}
    ) as house:
        names = at_work(house, 20)  # twice what the breaker lets pass
        for name in names:
            house.client.post("/chaos/crash", {"actor": f"session:{name}"})

        def back() -> bool:
            actors = house.client.get("/status")["actors"]
            assert actors["troubled"] == {}, actors
            adopted = [
                event["session_id"]
                for event in house.events()
                if event["event_type"] == "session_adopted"
            ]
            assert sorted(adopted) == sorted(names), f"{len(adopted)} adopted"
            return True

        eventually(back, 60, "all of them are back")
        assert {house.session(name)["status"] for name in names} == {"working"}
        assert [
            *account.lives(house.ground, dict.fromkeys(names, 1)),
            *account.statuses(house.ground),
        ] == []


def _twice_at_once(told: Path) -> bool:
    """Whether a hook began before the one before it had ended."""
    depth = 0
    for line in told.read_text().split():
        depth += 1 if line == "begin" else -1
        if depth > 1:
            return True
    return False


@pytest.mark.parametrize("how", ["kill -9 of the worker", "kill -9 of everything", "stop"])
def test_a_hook_under_way_is_waited_for_by_the_next_supervisor_and_never_run_twice_at_once(
    tmp_path: Path, how: str
) -> None:
    told = tmp_path / "told"

    def hooked(ground: Ground) -> dict[str, Any]:
        return waiting(ground, post_create=[f"echo begin >> {told}; sleep 3; echo end >> {told}"])

    with supervised(tmp_path, hooked) as house:
        name = house.spawn("Wait for the hook")
        eventually(lambda: told.exists() and "begin" in told.read_text(), 60)
        if how == "stop":
            house.stop()
            house.start()
        elif how == "kill -9 of the worker":
            house.kill_worker()
        else:
            house.kill_everything()
            house.start()
        house.becomes(name, "working")
        assert not _twice_at_once(told)
        assert told.read_text().split() == ["begin", "end"], "nor a second time at all"


def test_a_kill_ends_the_hook_under_way_before_killed_is_said(tmp_path: Path) -> None:
    told = tmp_path / "told"

    def hooked(ground: Ground) -> dict[str, Any]:
        return waiting(ground, post_create=[f"echo $$ >> {told}; sleep 300"])

    with supervised(tmp_path, hooked) as house:
        name = house.spawn("Wait for ever")
        eventually(lambda: told.exists() and told.read_text().strip(), 60)
        house.kill_worker()
        eventually(house._answers, 60)
        assert house.client.delete(f"/sessions/{name}") == "killed"
        assert name not in house.ground.agents(), "nothing that carries its mark is left"


ESSENTIAL = ("reactions,merges,queue", "notices,agents", "runtime:tmux,forge:score")


def vandalized(root: Path, actors: str) -> Told:
    """The story, while each of these actors is made to crash every second or so."""
    with told(root) as (house, follower, teller):
        over = threading.Event()

        def vandal() -> None:
            while not over.wait(1.5):
                for actor in actors.split(","):
                    with suppress(*AWAY, NotFound):  # it is just being started again
                        house.client.post("/chaos/crash", {"actor": actor})

        hand = threading.Thread(target=vandal, daemon=True)
        hand.start()
        try:
            teller.play()
        finally:
            over.set()
            hand.join(10)
        settle(house, teller, follower)
        return Told((), teller.starts)


@pytest.fixture(scope="module")
def crashes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Told]]]:
    """A story for each group of actors that was chosen."""
    root = tmp_path_factory.mktemp("crashes")
    groups = names_of(request, "crashes", "what")
    with side_by_side(
        {what: partial(vandalized, root / str(n), what) for n, what in enumerate(groups)}
    ) as futures:
        yield futures


@pytest.mark.parametrize("what", ESSENTIAL)
def test_actors_everybody_needs_crash_again_and_again_and_the_story_goes_on(
    crashes: Mapping[str, Future[Told]], what: str
) -> None:
    assert crashes[what].result().starts == 1


def test_a_blocked_hub_is_noticed_from_outside_and_the_worker_replaced(tmp_path: Path) -> None:
    orders = read("forge.survey:before=block#4")
    with told(tmp_path, orders, ENNIO_FAULT_TIMEOUT="3") as (house, follower, teller):
        teller.play()
        assert happened(house.ground.home) == [str(order) for order in orders]
        assert teller.starts == 1, "the arbiter itself went on"
        settle(house, teller, follower)


STEPS = (
    "told.session_queued:after",
    "runtime.start:before",
    "told.session_spawned:after",
    "told.reaction_triggered:after",
    "commit.messages:after",
    "runtime.paste:before",
    "runtime.paste:after",
    "told.session_restored:after",
    "told.review_approved:after",
    "forge.merge:before",
    "notifier.notify:after",
)
STORIES = 2
LEAPS = [
    ";".join(f"{step}={way}" for step in STEPS[number::STORIES])
    for way in ("back", "forth")
    for number in range(STORIES)
]
"""Several jumps in one story, far apart and all the same way: words that lie between one back and
one forth could not be told from older ones, and a person would be asked.
"""


@pytest.fixture(scope="module")
def jumps(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Told]]]:
    """A story for each of the jumps of the clock that were chosen."""
    root = tmp_path_factory.mktemp("jumps")
    leaps = names_of(request, "jumps", "what")
    with side_by_side(
        {what: partial(play, root / str(n), read(what)) for n, what in enumerate(leaps)}
    ) as futures:
        yield futures


@pytest.mark.parametrize("what", LEAPS)
def test_a_clock_that_jumps_an_hour_changes_nothing(
    jumps: Mapping[str, Future[Told]], what: str
) -> None:
    assert set(jumps[what].result().happened) == {str(order) for order in read(what)}


def test_an_agent_that_floods_its_terminal_with_100_mb_keeps_nobody_waiting(tmp_path: Path) -> None:
    flood = [{"flood": {"lines": 800_000}}, {"edit": {"file": "after.txt", "content": "x"}}]

    def loud(ground: Ground) -> dict[str, Any]:
        return project(
            ground,
            agent_config=story(
                turn("prompt", flood, "flood"), turn("prompt", [{"say": "..."}, "hang"])
            ),
        )

    with supervised(tmp_path, loud) as house:
        quiet = house.spawn("Be quiet")
        house.becomes(quiet, "working")
        before = psutil.Process(house.workers()[0]).memory_info().rss
        name = house.spawn("flood")
        slowest = 0.0
        done = house.ground.home / "worktrees" / "score" / name / "after.txt"

        def over() -> bool:
            nonlocal slowest
            begun = time.monotonic()
            assert house.session(quiet)["status"] == "working"
            slowest = max(slowest, time.monotonic() - begun)
            return done.exists()

        eventually(over, 180, "it has said all it had to say")
        grown = psutil.Process(house.workers()[0]).memory_info().rss - before
        print(
            f"the slowest answer meanwhile took {slowest:.3f} s; the worker grew by "
            f"{grown / 2**20:.1f} MB"
        )
        assert grown < 50 * 2**20
        assert len(house.client.get(f"/sessions/{name}/output", lines=1000).splitlines()) <= 1000
        eventually(
            lambda: house.session(name)["activity"] in ("ready", "idle"),
            30,
            "it is seen to be ready",
        )


def test_a_stopped_worker_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    """As on a machine that slept, or that swaps: the process stands still, and is not dead."""
    with told(tmp_path, ENNIO_FAULT_TIMEOUT="3") as (house, follower, teller):
        eventually(lambda: house._answers() and house.workers(), 40)
        stopped = house.workers()[0]
        freeze(stopped)
        teller.play()
        assert stopped not in house.workers()
        settle(house, teller, follower)
