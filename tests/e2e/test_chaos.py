"""The demo's story with ``kill -9`` at thirty random moments: nothing is lost, doubled, orphaned or half written."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ennio.demo import scene
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn
from tests.e2e.persons import Follower, Person

pytestmark = pytest.mark.e2e

KILLS = 30
LIMIT = 75.0
EXTRAS = 6
POLL = {"runtime": "150ms", "agent": "100ms", "forge": "150ms"}
WANTED = {"greet": scene.GREET, "notes": scene.NOTES, **{f"extra{n}": f"Write a file of your own, number {n}" for n in range(EXTRAS)}}


def _story() -> dict[str, Any]:
    """The demo's story, and before it what the others do: a file of their own, and their signature when asked."""
    mine, signed = ({"file": "{session}.txt", **change} for change in ({"content": "mine\n"}, {"append": "signed\n"}))
    own = turn("prompt", [{"think": 2}, {"edit": mine}, {"commit": "Mine"}, "push"], "own")
    sign = turn("changes_requested", [{"think": 1}, {"edit": signed}, {"commit": "Sign"}, "push"], "sign")
    return story(own, sign, *scene.story(1)["story"], speed=2)


def _project(ground: Ground) -> dict[str, Any]:
    checks = [{"name": "greetings", "run": "sh check.sh", "timeout": 60}]
    forge = {"plugin": "local", "config": {"checks": checks, "review_required": True}}
    return project(ground, agent_config=_story(), scm_config=forge)


def test_thirty_kills_lose_double_and_orphan_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("ENNIO_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"chaos seed {seed}; ENNIO_CHAOS_SEED={seed} plays it again")
    files = {"check.sh": scene.CHECK, "CHANGES.md": scene.CHANGES}
    merging = {"approved-and-green": {"action": "auto_merge"}}
    with supervised(tmp_path, _project, files=files, reactions=merging, poll=POLL) as house:
        follower, person = Follower(house), Person(house, WANTED)
        stages = _rage(house, person, random.Random(seed))
        print(f"kills by stage: {dict(stages)}")
        _finish(house, person)
        _account(house, person, follower)
        follower.close()


def _rage(house: Supervised, person: Person, dice: random.Random) -> Counter[str]:
    """Kill at random moments while the person goes on; every few kills another session is asked for."""
    stages: Counter[str] = Counter()
    for number in range(KILLS):
        pause = time.monotonic() + dice.uniform(*dice.choice([(0, 0.6), (0.6, 2), (2, 4)]))
        while time.monotonic() < pause:
            person.look(2 + number * EXTRAS // (KILLS - 4))
            time.sleep(0.02)
        stages.update(session["status"] for session in person.sessions.values() if session["status"] != "merged")
        if number % 2:
            house.kill_everything()
            house.begin()
        else:
            house.kill_worker()
    return stages


def _finish(house: Supervised, person: Person) -> None:
    until = time.monotonic() + LIMIT
    while not (person.look(len(WANTED)) and person.done):
        assert time.monotonic() < until, _where(house, person)
        time.sleep(0.05)


def _where(house: Supervised, person: Person) -> str:
    rows = [f"{s['role']} {s['id']}: {s['status']} {s['activity']}, {s.get('reason')}" for s in person.sessions.values()]
    pending = house.ground.rows("select session_id, state, reaction, attempts, detail, error from messages where state != 'delivered'")
    return "\n".join(["the story did not come to its end:", *rows, *map(str, pending), house.words()])


# --- the independent account: git, tmux, /proc, the transcripts and the database itself -------------


def _account(house: Supervised, person: Person, follower: Follower) -> None:
    problems = [
        *_merges(house.ground, person),
        *_content(house.ground, person),
        *_words(house.ground, person),
        *_lives(house.ground, person),
        *_log(house, follower),
        *_state(house.ground),
    ]
    assert not problems, "\n".join([*problems, house.words()])


def _merges(ground: Ground, person: Person) -> Iterator[str]:
    trailers = Counter(ground.git("log", "--format=%(trailers:key=Ennio-Pull,valueonly)", "main", cwd=ground.hub).split())
    wanted = {f"score#{session['pr_number']}" for session in person.sessions.values()}
    if len(wanted) != len(WANTED):
        yield f"pull requests are not one for each session: {sorted(wanted)}"
    if trailers != Counter(wanted):
        yield f"merged on main: {dict(trailers)}, wanted each once: {sorted(wanted)}"
    commits = ground.git("rev-list", "--count", "main", cwd=ground.hub)
    if int(commits) != 1 + len(WANTED):
        yield f"main has {commits} commits, not the beginning and one for each session"


def _content(ground: Ground, person: Person) -> Iterator[str]:
    wanted = {"greeting.txt": "hello, Ennio", "CHANGES.md": scene.BOTH.strip()}
    wanted |= {f"{name}.txt": "mine\nsigned" for role, name in person.ids.items() if role.startswith("extra")}
    for path, text in wanted.items():
        found = ground.main(path)
        if found != text:
            yield f"{path} on main is {found!r}, not {text!r}"


def _words(ground: Ground, person: Person) -> Iterator[str]:
    """Every text was taken at most once, every message that counts as delivered exactly once."""
    for role, name in person.ids.items():
        taken = Counter("".join(text.split()) for text in ground.taken(name))
        yield from (f"{role} {name} took {count} times: {text[:80]}" for text, count in taken.items() if count > 1)
        for message in ground.rows("select text, state, reaction, fingerprint from messages where session_id = ?", name):
            arrived = taken["".join(message["text"].split())]
            if message["state"] == "delivered" and arrived != 1:
                yield f"{role} {name}: {message['reaction'] or 'prompt'} counts as delivered and arrived {arrived} times"
            if message["state"] not in ("delivered", "dropped"):
                yield f"{role} {name}: {message['reaction']} is {message['state']}"
    marks = Counter(row["fingerprint"] for row in ground.rows("select session_id || fingerprint as fingerprint from messages"))
    yield from (f"the fingerprint {mark} has {count} messages" for mark, count in marks.items() if count > 1)
    for role, reactions in (("greet", {"ci-failed", "changes-requested"}), ("notes", {"merge-conflicts"})):
        found = ground.rows("select reaction from messages where session_id = ? and reaction is not null", person.ids[role])
        if {row["reaction"] for row in found} < reactions:
            yield f"{role} was told {found}, not all of {reactions}"


def _lives(ground: Ground, person: Person) -> Iterator[str]:
    """Each agent was started once and is still the one; nothing runs or lies about that no session owns."""
    known = set(person.ids.values())
    for name in known:
        starts = [entry["pid"] for entry in ground.transcript(name) if entry["type"] == "ready"]
        if len(starts) != 1:
            yield f"{name} was started {len(starts)} times"
    for what, found in (("terminals", ground.terminals()), ("worktrees", ground.worktrees()), ("processes", list(ground.agents()))):
        if len(found) != len(set(found)) or set(found) - known:
            yield f"{what} that no session owns: {sorted(set(found) - known)}, of {sorted(found)}"
    listed = ground.git("worktree", "list").count("\n") + 1
    if listed > len(known) + 1:
        yield f"git knows {listed} worktrees for {len(known)} sessions"


def _log(house: Supervised, follower: Follower) -> Iterator[str]:
    """The log has no gap, and a follower saw each event once, in order."""
    last = house.ground.rows("select max(seq) as last from events")[0]["last"]
    until = time.monotonic() + 20
    while (not follower.events or follower.events[-1]["seq"] < last) and time.monotonic() < until and follower.failed is None:
        time.sleep(0.05)
    if follower.failed:
        yield f"the follower was refused: {follower.failed}"
    seen = [event["seq"] for event in follower.events if event["seq"] <= last]
    if seen != list(range(1, last + 1)):
        odd = sorted(set(range(1, last + 1)) ^ set(seen)) or [seq for seq, count in Counter(seen).items() if count > 1]
        yield f"the stream gave {len(seen)} events of {last}; gaps or doubles at {odd[:20]}"
    paged = {event["seq"]: event for event in house.events()}
    if any(paged[event["seq"]] != event for event in follower.events if event["seq"] in paged):
        yield "an event reads differently on the page and in the stream"
    merged = Counter(event["session_id"] for event in follower.events if event["event_type"] == "pr_merged")
    yield from (f"{name} was told to be merged {count} times" for name, count in merged.items() if count != 1)


def _state(ground: Ground) -> Iterator[str]:
    """Nothing is half written, and nothing is left under way."""
    with sqlite3.connect(f"file:{ground.clone / 'ennio.db'}?mode=ro", uri=True) as connection:
        for pragma in ("integrity_check", "foreign_key_check"):
            found = connection.execute(f"pragma {pragma}").fetchall()
            if found not in ([("ok",)], []):
                yield f"{pragma}: {found}"
    yield from (f"still in the queue: {row}" for row in ground.rows("select * from queue"))
    yield from (f"a merge is {row['state']}: {row}" for row in ground.rows("select * from merges") if row["state"] != "done")
