"""The independent account of what became of a house: git, tmux, /proc, the transcripts
and the database itself.

Every function yields a sentence for each thing that is not as it should be. Nothing here
asks Ennio, but for its log.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised
from tests.e2e.persons import Follower

_MESSAGES = """SELECT m.text, d.state, m.reaction, m.fingerprint FROM messages m
    JOIN deliveries d ON d.kind = 'message' AND d.subject = m.id WHERE m.session_id = ?"""


def merges(ground: Ground, pulls: Collection[str]) -> Iterator[str]:
    """Each of these pull requests (``score#1``) is on main as one commit,
    once, and nothing else is.
    """
    trailers = Counter(
        ground.git(
            "log", "--format=%(trailers:key=Ennio-Pull,valueonly)", "main", cwd=ground.hub
        ).split()
    )
    if trailers != Counter(pulls):
        yield f"merged on main: {dict(trailers)}, wanted each once: {sorted(pulls)}"
    commits = ground.git("rev-list", "--count", "main", cwd=ground.hub)
    if int(commits) != 1 + len(pulls):
        yield f"main has {commits} commits, not the beginning and one for each pull request"


def content(ground: Ground, wanted: Mapping[str, str]) -> Iterator[str]:
    """These files stand on main with these words."""
    for path, text in wanted.items():
        found = ground.main(path)
        if found != text:
            yield f"{path} on main is {found!r}, not {text!r}"


def words(ground: Ground, ids: Mapping[str, str]) -> Iterator[str]:
    """Every text was taken at most once, every message that counts as delivered
    exactly once; ``ids`` by role.
    """
    for role, name in ids.items():
        taken = Counter("".join(text.split()) for text in ground.taken(name))
        yield from (
            f"{role} {name} took {count} times: {text[:80]}"
            for text, count in taken.items()
            if count > 1
        )
        for message in ground.rows(_MESSAGES, name):
            arrived = taken["".join(message["text"].split())]
            if message["state"] == "done" and arrived != 1:
                yield (
                    f"{role} {name}: {message['reaction'] or 'prompt'} counts as delivered and "
                    f"arrived {arrived} times"
                )
            if message["state"] not in ("done", "dropped"):
                yield f"{role} {name}: {message['reaction']} is {message['state']}"
    fingerprints = (
        "select session_id || fingerprint as mark from messages where fingerprint is not null"
    )
    marks = Counter(row["mark"] for row in ground.rows(fingerprints))
    yield from (
        f"the fingerprint {mark} has {count} messages" for mark, count in marks.items() if count > 1
    )


def lives(ground: Ground, starts: Mapping[str, int]) -> Iterator[str]:
    """Each agent was started so often; nothing runs or lies about that no session owns."""
    for name, wanted in starts.items():
        began = [entry["pid"] for entry in ground.transcript(name) if entry["type"] == "ready"]
        if len(began) != wanted:
            yield f"{name} was started {len(began)} times, not {wanted}"
    yield from strays(ground, starts)


def strays(ground: Ground, known: Collection[str]) -> Iterator[str]:
    """Terminals, working copies and processes that none of these sessions owns."""
    for what, found in (
        ("terminals", ground.terminals()),
        ("worktrees", ground.worktrees()),
        ("processes", list(ground.agents())),
    ):
        if len(found) != len(set(found)) or set(found) - set(known):
            yield (
                f"{what} that no session owns: {sorted(set(found) - set(known))}, of "
                f"{sorted(found)}"
            )
    listed = ground.git("worktree", "list").count("\n") + 1
    if listed > len(known) + 1:
        yield f"git knows {listed} worktrees for {len(known)} sessions"


def log(house: Supervised, follower: Follower) -> Iterator[str]:
    """The log has no gap, a follower saw each event once and in order, and the statuses
    told of follow each other.
    """
    last = house.ground.rows("select max(seq) as last from event_log")[0]["last"]
    told = follower.events
    eventually(
        lambda: follower.failed or (told and told[-1]["seq"] >= last),
        30,
        "the follower has seen the last event",
    )
    if follower.failed:
        yield f"the follower was refused: {follower.failed}"
    seen = [event["seq"] for event in follower.events if event["seq"] <= last]
    if seen != list(range(1, last + 1)):
        odd = sorted(set(range(1, last + 1)) ^ set(seen)) or [
            seq for seq, count in Counter(seen).items() if count > 1
        ]
        yield f"the stream gave {len(seen)} events of {last}; gaps or doubles at {odd[:20]}"
    paged = {event["seq"]: event for event in house.events()}
    if any(paged[event["seq"]] != event for event in follower.events if event["seq"] in paged):
        yield "an event reads differently on the page and in the stream"
    merged = Counter(
        event["session_id"] for event in follower.events if event["event_type"] == "pr_merged"
    )
    yield from (
        f"{name} was told to be merged {count} times"
        for name, count in merged.items()
        if count != 1
    )
    yield from statuses(house.ground)


def statuses(ground: Ground) -> Iterator[str]:
    """What the log tells of each session's status is a chain without a gap that
    ends at the session's own.
    """
    steps = """select session_id as name, json_extract(data, '$.from') as old, json_extract(data, '$.to') as new
               from events where event_type = 'status_changed' order by seq"""
    told: dict[str, str] = {}
    for row in ground.rows(steps):
        known = told.get(row["name"], "spawning")
        if row["old"] != known:
            yield (
                f"{row['name']} was told to be {known}, then to go from {row['old']} to "
                f"{row['new']}"
            )
        told[row["name"]] = row["new"]
    for row in ground.rows("select id, status from sessions"):
        if told.get(row["id"], "spawning") != row["status"]:
            yield f"{row['id']} is {row['status']}; the log ends with {told.get(row['id'])}"


def state(ground: Ground) -> Iterator[str]:
    """Nothing is half written, and nothing is left under way."""
    yield from sound(ground)
    yield from (f"still in the queue: {row}" for row in ground.rows("select * from queue"))
    merges = ground.rows("select * from deliveries where kind = 'merge'")
    yield from (f"a merge is {row['state']}: {row}" for row in merges if row["state"] != "done")


def sound(ground: Ground) -> Iterator[str]:
    """The database holds together; PostgreSQL sees to that by itself."""
    if ground.database:
        return
    with sqlite3.connect(f"file:{ground.clone / 'ennio.db'}?mode=ro", uri=True) as connection:
        for pragma in ("integrity_check", "foreign_key_check"):
            found = connection.execute(f"pragma {pragma}").fetchall()
            if found not in ([("ok",)], []):
                yield f"{pragma}: {found}"


def told_on_paper(ground: Ground, lines: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Every notification reached the channel, by itself or with others, or its cause was gone;
    told again after a doubt it carries the same id.
    """
    told = {line["id"]: line["message"] for line in lines}
    folded = {
        row["subject"]: row["result"]
        for row in ground.rows("select subject, result from deliveries where state = 'folded'")
    }
    for row in ground.rows("select id, message, done_at, resolved_at from notifications"):
        # what holds no more before it could be told is told to nobody
        if folded.get(row["id"], row["id"]) not in told and row["resolved_at"] is None:
            yield f"never told: {row}"
    known = {row["id"] for row in ground.rows("select id from notifications")}
    yield from (
        f"told and not written down: {message}"
        for name, message in told.items()
        if name not in known
    )
