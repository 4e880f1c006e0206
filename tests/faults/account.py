"""What must be true when the story has been told, whatever happened in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest

from ennio.nats.jetstream import STREAM
from ennio.policy.budgets.words import GO_ON
from tests.conftest import eventually
from tests.e2e import account
from tests.e2e.house import Ground, nothing_is_left
from tests.e2e.persons import Follower
from tests.faults.plan import happened
from tests.faults.story import ANSWER, ASK, ASK_FAR, FAR, HOW_FAR, SIGN, UNSAVED, Local
from tests.faults.teller import Wired, on_paper
from tests.faults.watch import undeclared
from tests.nats.reader import reading
from tests.nats.server import NatsServer

FILES = {"notes.txt": UNSAVED.strip(), "way.txt": ANSWER, "far.txt": FAR}
TURNS_BURN = 100
CENT = 10**10
"""In units of 10^-12 dollars."""


def settle(house: Wired, teller: Local, follower: Follower) -> None:
    """Hold the account, end the house, and see that nothing of it is left. Raises
    AssertionError with all that is wrong.
    """
    close(house, [*_all(house, teller, follower)])


def close(house: Wired, problems: Sequence[str]) -> None:
    """End a house whose account has these problems. Raises AssertionError with them, or
    with what is left running.
    """
    problems = [
        *problems,
        *(f"undeclared, and acts: {line}" for line in sorted(undeclared(house.ground.home))),
    ]
    assert not problems, "\n".join(
        [f"happened: {happened(house.ground.home)}", *problems, house.words()]
    )
    house.stop()
    nothing_is_left(house.ground)


def _all(house: Wired, teller: Local, follower: Follower) -> Iterator[str]:
    ground, greet, notes = house.ground, teller.ids["greet"], teller.ids["notes"]
    if len(teller.sessions) != 3:
        yield f"there are {len(teller.sessions)} sessions"
    yield from account.merges(ground, [f"score#{teller.sessions[greet]['pr_number']}"])
    yield from account.content(ground, {"greeting.txt": "hello, Ennio\nsigned"})
    yield from account.words(ground, teller.ids)
    yield from took(
        ground,
        {
            greet: ("Issue 1", "checks", GO_ON, SIGN),
            notes: ("Write notes", ASK, ANSWER, ASK_FAR, f"{HOW_FAR.index(FAR) + 1}|{FAR}"),
        },
    )
    yield from account.lives(ground, {greet: 1, notes: 2, teller.ids["spare"]: 0})
    yield from account.strays(ground, ())
    yield from _refs(ground, notes)
    yield from _pulls(ground)
    yield from _issue(ground, greet)
    yield from account.told_on_paper(ground, paper(ground))
    yield from account.log(house, follower)
    yield from account.state(ground)
    yield from _published(ground, teller.nats)
    yield from _used(teller.sessions[greet])
    yield from _books(ground, greet)
    yield from _budget(ground, greet)


BESIDE = ("metrics", "dashboard")
"""What is in the stream beside events: numbers, and sessions as they are shown."""


def _published(ground: Ground, nats: NatsServer) -> Iterator[str]:
    """The stream has the whole log, each event once and in its order."""
    log = "select id, seq from events union all select id, seq from house_events order by seq"
    with reading(nats.url) as reader:

        def whole() -> bool:
            ids = [str(row["id"]) for row in ground.rows(log)]
            told = [one for one in reader.kept(STREAM) if one.subject.split(".")[1] not in BESIDE]
            assert [one.data["id"] for one in told] == ids
            return True

        try:
            eventually(whole, within=30)
        except pytest.fail.Exception as missing:
            yield f"not everything is on NATS, once and in order: {missing}"


def took(ground: Ground, wanted: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each agent, by session, took exactly what it was to be told; ``|`` stands between
    words of which one will do.
    """
    for name, parts in wanted.items():
        taken = ground.taken(name)
        if len(taken) != len(parts) or not all(
            _holds(text, part) for part, text in zip(parts, taken, strict=True)
        ):
            yield f"{name} took {[text[:200] for text in taken]}, not {parts}"


def _holds(text: str, part: str) -> bool:
    return any(words in text for words in part.split("|"))


def _refs(ground: Ground, notes: str) -> Iterator[str]:
    """What was unsaved is kept, and no branch is left in the person's
    repository that was not there.
    """
    refs = ground.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/ennio").split()
    kept = f"refs/ennio/preserved/{notes}"
    if sorted(refs) != sorted([kept, "refs/ennio/base/main", "refs/heads/main"]):
        yield f"refs in the repository: {refs}"
        return
    for path, text in FILES.items():
        if ground.git("show", f"{kept}:{path}") != text:
            yield f"{path} was not preserved"


def _pulls(ground: Ground) -> Iterator[str]:
    rows = ground.rows("select number, state from forge_pulls")
    if [row["state"] for row in rows] != ["merged"]:
        yield f"pull requests: {rows}"


def _issue(ground: Ground, greet: str) -> Iterator[str]:
    """The issue was told each milestone once and is closed."""
    text = (ground.clone / "issues" / "1.md").read_text()
    for kind in ("spawned", "pull_opened", "merged"):
        if text.count(f"<!-- ennio:{greet}:{kind} -->") != 1:
            yield f"the issue was told {text.count(f'{greet}:{kind}')} times of {kind}"
    if "state: closed" not in text:
        yield "the issue is not closed"


def paper(ground: Ground) -> list[dict[str, str]]:
    """What the person was told; the same words twice only under the same id, and all of it taken
    back whose cause is gone.
    """
    lines = on_paper(ground)
    told = [line for line in lines if "message" in line]
    twice = Counter(message for _, message in {(line["id"], line["message"]) for line in told})
    assert all(count == 1 for count in twice.values()), f"told twice under different ids: {twice}"
    gone = {line["id"] for line in lines if "withdrawn" in line}
    resolved = ground.rows("select id from notifications where resolved_at is not null")
    left = {row["id"] for row in resolved} & {line["id"] for line in told} - gone
    assert not left, f"told, and not taken back although their cause is gone: {left}"
    return told


def _books(ground: Ground, greet: str) -> Iterator[str]:
    """Each usage is in the books once, and what was moved is what was charged."""
    charged = "select count(*) n, sum(amount) amount, sum(input_tokens) given from ledger_entries"
    (row,) = ground.rows(f"{charged} where session_id = '{greet}'")
    if (row["n"], int(row["amount"]), int(row["given"])) != (2, 2 * CENT, 2 * TURNS_BURN):
        yield f"the books have of {greet}: {row}"
    (every,) = ground.rows(charged)
    (moved,) = ground.rows("select count(*) n, sum(amount) amount from ledger_transfers")
    if (every["n"], every["amount"]) != (moved["n"], moved["amount"]):
        yield f"entries {every}, transfers {moved}"


def _budget(ground: Ground, greet: str) -> Iterator[str]:
    """It was warned of, used up, paused for, raised and let go on, each once."""
    kinds = ("budget_warning", "budget_exceeded", "session_paused", "session_resumed")
    told = ground.rows("select event_type, session_id from events")
    for kind in kinds:
        many = [row["session_id"] for row in told if row["event_type"] == kind]
        if many != [greet]:
            yield f"{kind} was told of {many}"
    raises = ground.rows("select budget, usd from budget_raises")
    if [(row["budget"], row["usd"]) for row in raises] != [(f"session:{greet}:total", "1")]:
        yield f"raises: {raises}"
    if left := ground.rows("select * from budget_reservations"):
        yield f"still kept for sessions that have ended: {left}"


def _used(session: dict[str, object]) -> Iterator[str]:
    usage = session["usage"]
    if not isinstance(usage, dict) or usage["input_tokens"] != 2 * TURNS_BURN:
        yield f"usage is {usage}"
