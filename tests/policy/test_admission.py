"""Admission: never over a limit, in the order of the queue, and a reason
for everybody who waits.
"""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ennio.policy.admission import MEMORY_PER_SESSION, Candidate, Limits, Room, decide

PROJECTS, HOSTS = ("a", "b", "c"), ("", "there", "away")
MIB = 1024 * 1024


def _queue(*projects: str) -> list[Candidate]:
    return [Candidate(f"{project}-{number}", project) for number, project in enumerate(projects)]


most = st.none() | st.integers(0, 6)
memory = st.none() | st.integers(0, 4096).map(lambda mib: mib * MIB)
queues = st.lists(
    st.tuples(st.sampled_from(PROJECTS), st.booleans(), st.sampled_from(HOSTS)), max_size=25
).map(lambda rows: [Candidate(f"s{number}", *row) for number, row in enumerate(rows)])
limits = st.builds(
    Limits,
    most,
    st.fixed_dictionaries(dict.fromkeys(PROJECTS, most)),
    st.integers(0, 2048).map(lambda mib: mib * MIB),
    st.dictionaries(st.sampled_from(HOSTS[1:]), st.integers(0, 6)),
    st.dictionaries(st.sampled_from(HOSTS[1:]), st.integers(0, 2048).map(lambda mib: mib * MIB)),
)
rooms = st.builds(
    Room,
    st.dictionaries(st.sampled_from(PROJECTS), st.integers(0, 6)),
    st.fixed_dictionaries(dict.fromkeys(HOSTS, memory)),
    st.dictionaries(st.sampled_from(HOSTS[1:]), st.just("nobody knows it"), max_size=1),
    live_on=st.dictionaries(st.sampled_from(HOSTS), st.integers(0, 6)),
)


@given(queues, limits, rooms)
def test_no_limit_is_ever_passed(queue: list[Candidate], limits: Limits, room: Room) -> None:
    admitted = decide(queue, limits, room).admitted
    of = {waiting.session_id: waiting for waiting in queue}
    added = Counter(of[session_id].project_id for session_id in admitted)
    for project, count in added.items():
        limit = limits.per_project.get(project)
        assert limit is None or room.live.get(project, 0) + count <= limit
    if admitted and limits.over_all is not None:
        assert sum(room.live.values()) + len(admitted) <= limits.over_all
    there = Counter(of[session_id].host for session_id in admitted)
    for host, count in there.items():
        free = room.free_memory[host]
        floor = limits.memory_on.get(host, limits.min_free_memory)
        assert free is None or free - (count - 1) * MEMORY_PER_SESSION >= floor
        limit = limits.per_host.get(host)
        assert limit is None or room.live_on.get(host, 0) + count <= limit
        assert host not in room.closed
    assert not any(of[session_id].held for session_id in admitted)


@given(queues, limits, rooms)
def test_everybody_is_admitted_or_told_why_not(
    queue: list[Candidate], limits: Limits, room: Room
) -> None:
    decided = decide(queue, limits, room)
    assert set(decided.admitted).isdisjoint(decided.reasons)
    assert set(decided.admitted) | set(decided.reasons) == {waiting.session_id for waiting in queue}
    assert all(decided.reasons.values())


@given(queues, limits, rooms)
def test_within_a_project_and_a_host_nobody_who_is_not_held_is_overtaken(
    queue: list[Candidate], limits: Limits, room: Room
) -> None:
    admitted = set(decide(queue, limits, room).admitted)
    for project, host in itertools.product(PROJECTS, HOSTS):
        fit = [
            waiting.session_id in admitted
            for waiting in queue
            if (waiting.project_id, waiting.host, waiting.held) == (project, host, False)
        ]
        assert fit == sorted(fit, reverse=True)


@given(queues, limits, rooms)
def test_nobody_is_kept_waiting_who_would_fit(
    queue: list[Candidate], limits: Limits, room: Room
) -> None:
    """Once those admitted are live, the same queue without them admits nobody."""
    first = decide(queue, limits, room)
    live = Counter(dict(room.live))
    live.update(waiting.project_id for waiting in queue if waiting.session_id in first.admitted)
    there = Counter(waiting.host for waiting in queue if waiting.session_id in first.admitted)
    free = {
        host: None if left is None else left - there[host] * MEMORY_PER_SESSION
        for host, left in room.free_memory.items()
    }
    rest = [waiting for waiting in queue if waiting.session_id not in first.admitted]
    later = Room(live, free, room.closed, live_on=there + Counter(dict(room.live_on)))
    assert decide(rest, limits, later).admitted == ()


def test_a_full_project_lets_others_pass() -> None:
    decided = decide(_queue("a", "a", "b"), Limits(None, {"a": 1}, 0), Room({}, {}))
    assert decided.admitted == ("a-0", "b-2")
    assert decided.reasons["a-1"] == "project a has 1 of 1 sessions (max_sessions)"


def test_who_is_held_is_told_how_to_be_released() -> None:
    decided = decide([Candidate("x", "a", held=True), *_queue("a")], Limits(1, {}, 0), Room({}, {}))
    assert decided.admitted == ("a-0",)
    assert "`ennio queue release x`" in decided.reasons["x"]


def test_incident_36_twenty_do_not_pass_through_one_measurement() -> None:
    room = Room({}, {"": 512 * MIB + 2 * MEMORY_PER_SESSION})
    decided = decide(_queue(*"a" * 20), Limits(None, {}, 512 * MIB), room)
    assert len(decided.admitted) == 3
    assert "512 MiB must be (min_free_memory)" in decided.reasons["a-3"]


def test_memory_that_cannot_be_read_stops_nobody() -> None:
    assert len(decide(_queue(*"a" * 20), Limits(None, {}, 512 * MIB), Room({}, {})).admitted) == 20


def test_a_host_that_is_full_or_that_nobody_knows_keeps_nobody_of_another_waiting() -> None:
    queue = [
        Candidate("a", "p", host="full"),
        Candidate("b", "p", host="lost"),
        Candidate("c", "p"),
    ]
    room = Room({}, {"": 512 * MIB, "full": 100 * MIB}, {"lost": "nobody knows host lost"})
    decided = decide(queue, Limits(None, {}, 512 * MIB), room)
    assert decided.admitted == ("c",)
    assert decided.reasons["b"] == "nobody knows host lost"
    assert "100 MiB of memory are free on host full, 512 MiB must be" in decided.reasons["a"]


def test_a_host_with_all_the_sessions_it_may_run_keeps_nobody_of_another_waiting() -> None:
    queue = [*(Candidate(name, "p", host="far") for name in "ab"), Candidate("c", "p")]
    limits = Limits(None, {}, 0, per_host={"far": 3})
    decided = decide(queue, limits, Room({"p": 2}, {}, live_on={"far": 2, "": 9}))
    assert decided.admitted == ("a", "c")
    assert decided.reasons == {"b": "host far runs 3 of 3 sessions (ssh_config.max_sessions)"}


def test_a_host_may_want_more_memory_free_than_the_others() -> None:
    queue = [Candidate("a", "p", host="small"), Candidate("b", "p", host="large")]
    limits = Limits(None, {}, 512 * MIB, memory_on={"large": 4096 * MIB})
    decided = decide(queue, limits, Room({}, {"small": 600 * MIB, "large": 4000 * MIB}))
    assert decided.admitted == ("a",)
    assert "4000 MiB of memory are free on host large, 4096 MiB must be" in decided.reasons["b"]
