"""Whose turn it is: one rule for each state a session can be in, and the first that matches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.model.facts import AgentSeen, ForgeSeen, Place, PlaceSeen, Presence, ProcessSeen
from ennio.model.pulls import (
    Check,
    CheckState,
    Comment,
    Opinion,
    PullRequest,
    PullState,
    ReviewState,
)
from ennio.model.session import Activity, RuntimeHandle, Session
from ennio.model.session import SessionStatus as S
from ennio.policy import turn, turn_words
from ennio.policy.lifecycle.parked import Parked, ResumeWhen
from ennio.policy.lifecycle.state import Desired, LifecycleState, Pause, Phase, TurnGrant
from ennio.policy.reactions import ReactionState
from ennio.policy.turn_calls import escalations
from ennio.policy.turn_inputs import UNWATCHED, InQueue, Turn, TurnInputs, TurnRules
from ennio.policy.turn_verbs import accepted, wants

NOW = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
STATUS, ACTIVITY, HEAD = (NOW - timedelta(minutes=each) for each in (40, 30, 20))
LOCAL = TurnRules(
    forge=True,
    reviewed_here=True,
    reruns=True,
    calls=frozenset({"agent-stuck", "approved-and-green", "plan-window"}),
)
ELSEWHERE = replace(LOCAL, reviewed_here=False, withdraws=True, reminds=True)
PULL = PullRequest(
    41, "http://forge/41", "Fix it", "b", "main", "a" * 40, PullState.OPEN,
    checks=CheckState.PASSING,
    check_runs=tuple(Check(str(one), f"c{one}", CheckState.PASSING) for one in range(9)),
)  # fmt: skip
RED = replace(PULL, checks=CheckState.FAILING, check_runs=(Check("1", "lint", CheckState.FAILING),))
RUNS = replace(
    PULL,
    checks=CheckState.PENDING,
    check_runs=tuple(
        Check(str(one), f"c{one}", CheckState.PENDING if one < 3 else CheckState.PASSING)
        for one in range(9)
    ),
)
ANSWERED = replace(
    PULL,
    review=ReviewState.CHANGES_REQUESTED,
    opinions=(Opinion("lena", ReviewState.CHANGES_REQUESTED, "b" * 40),),
)
YOURS = replace(
    ANSWERED, opinions=(Opinion("me", ReviewState.CHANGES_REQUESTED, "b" * 40, yours=True),)
)
ASKED = replace(PULL, review=ReviewState.REQUIRED, asked=("lena", "me"), asks_you=True)
TOLD = ReactionState(episode=1, since=NOW - timedelta(minutes=9), attempts=1)
ESCALATED = replace(TOLD, attempts=2, escalated_at=NOW - timedelta(minutes=5))
PARKED = Parked("weekly", "claude", NOW + timedelta(hours=1), NOW - timedelta(minutes=7), NOW)
BEGUN = replace(PARKED, resets_at=NOW - timedelta(minutes=2))
PAUSE = Pause(NOW - timedelta(minutes=6), "my-app", "paused: budget my-app is used up")
ALIVE = RuntimeHandle("ma-1", "tmux")


def a_session(
    status: S = S.WORKING,
    activity: Activity | None = Activity.ACTIVE,
    *,
    session: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    pull: PullRequest | None = None,
    agent: dict[str, Any] | None = None,
    **given: Any,
) -> TurnInputs:
    """One session in the middle of its life, and what is different about it."""
    known: dict[str, Any] = {"runtime_handle": ALIVE, "reason": f"why it is {status}"}
    shown = Session("ma-1", "my-app", status, STATUS, NOW, "c", activity, **known)
    remembered = LifecycleState(
        status, STATUS, desired=Desired.WATCH, phase=Phase.LAUNCHED, activity=activity,
        activity_since=ACTIVITY, launches=1, launched_at=STATUS, head=PULL.head, head_at=HEAD,
    )  # fmt: skip
    return TurnInputs(
        replace(shown, **(session or {})),
        replace(remembered, **(state or {})),
        AgentSeen(NOW, "hook", activity, **(agent or {})),
        ForgeSeen(Presence.ALIVE, NOW, "github", pull),
        **{"rules": LOCAL, **given},
    )


asks = {"question": "Run npm install?", "since": NOW - timedelta(minutes=2)}
silent = {"silent_since": NOW - timedelta(minutes=11)}
QUEUED = InQueue(NOW - timedelta(minutes=8), "project my-app has 2 of 2 sessions")
GONE = PlaceSeen(NOW - timedelta(minutes=4), Place.GONE, "its working copy /w is gone")
BLOCKED = replace(QUEUED, blocked_since=NOW - timedelta(minutes=5))
HELD = replace(QUEUED, held=True, held_since=NOW - timedelta(minutes=3))

TABLE: dict[str, tuple[TurnInputs, str, str, timedelta, tuple[str, ...]]] = {
    # name: (session, "turn word", rule, for how long, what is wanted)
    "merged": (a_session(S.MERGED), "over merged", "1", NOW - STATUS, ("open", "cleanup")),
    "merged and cleaned": (
        a_session(S.DONE, state={"cleaned_at": NOW, "stopped": 1}),
        "over done", "1", NOW - STATUS, (),
    ),
    "killed": (
        a_session(S.KILLED, state={"stopped": 1}), "over killed", "1", NOW - STATUS, ("cleanup",)
    ),
    "being killed while it asks": (
        a_session(activity=Activity.WAITING_INPUT, state={"killed_by": "a person"}),
        "over killed", "1", NOW - STATUS, ("open",),
    ),
    "no working copy any more, whatever it asks": (
        a_session(activity=Activity.WAITING_INPUT, agent=asks, place=GONE),
        "you gone", "1b", timedelta(minutes=4), ("restore", "open", "kill"),
    ),
    "its working copy was moved": (
        a_session(place=replace(GONE, place=Place.MOVED)),
        "you gone", "1b", timedelta(minutes=4), ("open", "kill"),
    ),
    "its branch was deleted": (
        a_session(place=replace(GONE, place=Place.BRANCHLESS)),
        "you gone", "1b", timedelta(minutes=4), ("open", "kill"),
    ),
    "ended where there is no working copy": (
        a_session(S.EXITED, Activity.EXITED, place=GONE),
        "you gone", "1b", timedelta(minutes=4), ("restore", "open", "kill"),
    ),
    "on another branch, which is its own to choose": (
        a_session(place=replace(GONE, place=Place.ASTRAY)),
        "agent works", "11", NOW - ACTIVITY, ("tell", "interrupt"),
    ),
    "its working copy is being made again": (
        a_session(S.SPAWNING, None, place=GONE, state={"phase": Phase.NEW}, agent={}),
        "agent starts", "11", NOW - STATUS, ("tell",),
    ),
    "killed where there is no working copy": (
        a_session(S.KILLED, place=GONE, state={"stopped": 1}),
        "over killed", "1", NOW - STATUS, ("cleanup",),
    ),
    "a question": (
        a_session(activity=Activity.WAITING_INPUT, agent=asks),
        "you asks", "2", timedelta(minutes=2), ("answer", "interrupt"),
    ),
    "a question nobody can see any more": (
        a_session(
            S.APPROVED, Activity.WAITING_INPUT, agent=asks, pull=PULL, state={"signal_lost": True}
        ),
        "you asks", "2", timedelta(minutes=2), (),
    ),
    "a question of one that a budget holds": (
        a_session(activity=Activity.WAITING_INPUT, agent=asks, state={"pause": PAUSE}),
        "you asks", "2", timedelta(minutes=2), ("interrupt", "raise", "go-on"),
    ),
    "exited": (
        a_session(
            S.EXITED, Activity.EXITED, process=ProcessSeen(Presence.GONE, NOW, "tmux", exit_code=1)
        ),
        "you ended", "3", NOW - STATUS, ("restore", "open", "kill"),
    ),
    "vanished with its terminal": (
        a_session(S.EXITED, Activity.EXITED, process=ProcessSeen(Presence.GONE, NOW, "tmux")),
        "you ended", "3", NOW - STATUS, ("restore", "kill"),
    ),
    "a spawn that failed": (
        a_session(S.EXITED, None, session={"runtime_handle": None}, state={"launches": 0}),
        "you ended", "3", NOW - STATUS, ("restore", "kill"),
    ),
    "an actor that was given up": (
        a_session(session={"no_signal_since": HEAD, "no_signal": f"{UNWATCHED} crashed"}),
        "you ended", "3", NOW - HEAD, ("restore", "open"),
    ),
    "ended, and is started again by itself": (
        a_session(S.EXITED, Activity.EXITED, state={"desired": Desired.RUN}),
        "agent starts", "11", NOW - STATUS, ("tell",),
    ),
    "paused in its turn": (
        a_session(state={"pause": PAUSE}),
        "you money", "4", timedelta(minutes=6), ("raise", "go-on", "end"),
    ),
    "paused at rest": (
        a_session(activity=Activity.IDLE, state={"pause": PAUSE}),
        "you money", "4", timedelta(minutes=6), ("raise", "end"),
    ),
    "let go on until its turn ends": (
        a_session(state={"pause": replace(PAUSE, grant=TurnGrant.TURN, granted_at=NOW)}),
        "agent works", "11", NOW - ACTIVITY, ("tell", "interrupt"),
    ),
    "a plan window has begun anew": (
        a_session(activity=Activity.BLOCKED, state={"parked": BEGUN}),
        "you resume", "4b", timedelta(minutes=2), ("resume", "end"),
    ),
    "nobody knows when it does": (
        a_session(activity=Activity.BLOCKED, state={"parked": replace(PARKED, resets_at=None)}),
        "you resume", "4b", timedelta(minutes=7), ("resume", "end"),
    ),
    "parked until then": (
        a_session(activity=Activity.BLOCKED, state={"parked": PARKED}),
        "world quota", "9", timedelta(minutes=7), ("kill",),
    ),
    "parked, and it goes on by itself": (
        a_session(
            activity=Activity.BLOCKED, state={"parked": BEGUN}, rules=replace(LOCAL, resumes=True)
        ),
        "world quota", "9", timedelta(minutes=7), ("kill",),
    ),
    "parked, and a person let it go on": (
        a_session(
            activity=Activity.BLOCKED, state={"parked": replace(BEGUN, said=ResumeWhen.AT_RESET)}
        ),
        "world quota", "9", timedelta(minutes=7), ("kill",),
    ),
    "an escalation": (
        a_session(S.CI_FIX_FAILED, pull=RED, reactions={"ci-failed": ESCALATED}),
        "you look", "5", timedelta(minutes=5), ("tell", "take-over", "seen"),
    ),
    "an escalation, and checks run on a new head": (
        a_session(S.CI_FIX_SENT, pull=RUNS, reactions={"ci-failed": ESCALATED}),
        "world checks", "10", NOW - HEAD, ("rerun",),
    ),
    "an escalation that is over": (
        a_session(
            S.CI_FAILED, pull=RED, reactions={"ci-failed": replace(ESCALATED, gone_at=NOW)}
        ),
        "agent fixes", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "an escalation that was seen": (
        a_session(
            S.CI_FIX_FAILED, pull=RED, reactions={"ci-failed": ESCALATED},
            seen={"ci-failed": "1.1.2.escalated"},
        ),
        "agent fixes", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "stuck": (
        a_session(activity=Activity.IDLE, reactions={"agent-stuck": TOLD}),
        "you look", "5", timedelta(minutes=9), ("tell", "take-over", "seen"),
    ),
    "a merge that failed": (
        a_session(
            S.APPROVED, Activity.IDLE, pull=PULL, reactions={"approved-and-green": ESCALATED},
            rules=replace(LOCAL, merges=True),
        ),
        "you look", "5", timedelta(minutes=5), ("tell", "take-over", "seen"),
    ),
    "approved and green, as was told": (
        a_session(S.APPROVED, Activity.IDLE, pull=PULL, reactions={"approved-and-green": TOLD}),
        "you merge", "6", NOW - STATUS, ("merge", "request-changes"),
    ),
    "green, and no review is required": (
        a_session(S.CI_PASSING, Activity.IDLE, pull=PULL, rules=replace(LOCAL, merges=True)),
        "you merge", "6", NOW - STATUS, ("merge", "request-changes"),
    ),
    "green, and the forge cannot be seen": (
        a_session(S.CI_PASSING, Activity.IDLE, pull=PULL, state={"forge_lost": True}),
        "you merge", "6", NOW - STATUS, (),
    ),
    "a review is wanted here": (
        a_session(S.REVIEW_PENDING, Activity.IDLE, pull=PULL),
        "you review", "7", NOW - STATUS, ("approve", "request-changes"),
    ),
    "another look is wanted here": (
        a_session(S.CHANGES_REQUESTED, Activity.IDLE, pull=ANSWERED),
        "you review", "7", NOW - HEAD, ("approve", "request-changes"),
    ),
    "a review is wanted of others": (
        a_session(S.REVIEW_PENDING, Activity.IDLE, pull=PULL, rules=ELSEWHERE),
        "world review", "10", NOW - STATUS, ("nudge",),
    ),
    "your review is asked for elsewhere": (
        a_session(S.REVIEW_PENDING, Activity.IDLE, pull=ASKED, rules=ELSEWHERE),
        "you review", "7", NOW - STATUS, ("approve", "request-changes"),
    ),
    "another look of yours is wanted elsewhere": (
        a_session(S.CHANGES_REQUESTED, Activity.IDLE, pull=YOURS, rules=ELSEWHERE),
        "you review", "7", NOW - HEAD, ("approve", "request-changes"),
    ),
    "green, and your own account opened it": (
        a_session(S.APPROVED, Activity.IDLE, pull=replace(PULL, own=True), rules=ELSEWHERE),
        "you merge", "6", NOW - STATUS, ("merge",),
    ),
    "another look is wanted of others": (
        a_session(S.CHANGES_REQUESTED, Activity.IDLE, pull=ANSWERED, rules=ELSEWHERE),
        "world review", "10", NOW - HEAD, ("nudge",),
    ),
    "silent": (
        a_session(agent=silent),
        "you silent", "8", timedelta(minutes=11), ("look", "open", "kill"),
    ),
    "silent, and out of sight before that": (
        a_session(
            agent=silent,
            session={"no_signal_since": STATUS, "no_signal": "the forge: x; the agent: y"},
        ),
        "you silent", "8", timedelta(minutes=11), ("look", "open", "kill"),
    ),
    "out of sight": (
        a_session(
            session={"no_signal_since": STATUS, "no_signal": "the agent: tmux; the forge: y"},
            process=ProcessSeen(Presence.UNKNOWN, NOW - timedelta(minutes=10), "tmux"),
        ),
        "you silent", "8", timedelta(minutes=10), ("look", "open", "kill"),
    ),
    "silent for a short time": (
        a_session(agent={"silent_since": NOW - timedelta(minutes=9, seconds=59)}),
        "agent works", "11", NOW - ACTIVITY, ("tell", "interrupt"),
    ),
    "only the forge is out of sight": (
        a_session(session={"no_signal_since": STATUS, "no_signal": "the forge: it answers 502"}),
        "agent works", "11", NOW - ACTIVITY, ("tell", "interrupt"),
    ),
    "of a project that is gone": (
        a_session(session={"no_signal_since": STATUS}, rules=TurnRules(stray=True)),
        "you silent", "8", NOW - STATUS, ("look", "kill"),
    ),
    "queued": (
        a_session(S.SPAWNING, None, queued=QUEUED, session={"runtime_handle": None}),
        "world queued", "9", timedelta(minutes=8), ("move", "drop"),
    ),
    "held": (
        a_session(S.SPAWNING, None, queued=HELD, session={"runtime_handle": None}),
        "world held", "9", timedelta(minutes=3), ("release", "move", "drop"),
    ),
    "queued for what a person has to mend": (
        a_session(S.SPAWNING, None, queued=BLOCKED, session={"runtime_handle": None}),
        "you blocked", "8b", timedelta(minutes=5), ("move", "drop"),
    ),
    "restored, and queued": (
        a_session(S.EXITED, Activity.EXITED, queued=QUEUED),
        "world queued", "9", timedelta(minutes=8), ("move", "drop"),
    ),
    "checks run": (
        a_session(S.PR_OPEN, Activity.IDLE, pull=RUNS), "world checks", "10", NOW - HEAD, ("rerun",)
    ),
    "checks of a draft run": (
        a_session(S.PR_DRAFT, Activity.IDLE, pull=replace(RUNS, draft=True)),
        "world checks", "10", NOW - HEAD, ("rerun",),
    ),
    "checks run, and the forge merges then": (
        a_session(S.PR_OPEN, Activity.IDLE, pull=replace(RUNS, merging=True), rules=ELSEWHERE),
        "world checks", "10", NOW - HEAD, ("leave-queue",),
    ),
    "the forge merges": (
        a_session(S.CI_PASSING, Activity.IDLE, pull=replace(PULL, merging=True), rules=ELSEWHERE),
        "world merging", "10", NOW - STATUS, ("leave-queue",),
    ),
    "Ennio merges": (
        a_session(
            S.APPROVED, Activity.IDLE, pull=PULL, rules=replace(LOCAL, merges=True),
            reactions={"approved-and-green": TOLD},
        ),
        "world merging", "10", timedelta(minutes=9), (),
    ),
    "starts": (
        a_session(S.SPAWNING, None, session={"runtime_handle": None}, state={"phase": Phase.NEW}),
        "agent starts", "11", NOW - STATUS, ("tell",),
    ),
    "fixes": (
        a_session(S.CI_FAILED, Activity.IDLE, pull=RED, reactions={"ci-failed": TOLD}),
        "agent fixes", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "replies": (
        a_session(
            S.CHANGES_REQUESTED,
            pull=replace(RUNS, comments=(Comment("1", "ann", "why?", NOW),)),
            reactions={"changes-requested": TOLD},
        ),
        "agent replies", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "rebases": (
        a_session(S.MERGE_CONFLICTS, pull=RUNS, reactions={"merge-conflicts": TOLD}),
        "agent rebases", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "red, and nobody told its agent": (
        a_session(S.CI_FAILED, Activity.READY, pull=RED),
        "agent rests", "11", NOW - ACTIVITY, ("tell", "interrupt"),
    ),
    "rests": (
        a_session(activity=Activity.READY), "agent rests", "11", NOW - ACTIVITY,
        ("tell", "interrupt"),
    ),
    "just ready": (
        a_session(activity=Activity.READY, state={"activity_since": NOW - timedelta(seconds=1)}),
        "agent works", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "others work for it": (
        a_session(activity=Activity.READY, agent={"helpers": 2}),
        "agent works", "11", NOW - STATUS, ("tell", "interrupt"),
    ),
    "ended well, with an open pull request": (
        a_session(S.PR_DRAFT, Activity.EXITED, pull=replace(PULL, draft=True)),
        "agent rests", "11", NOW - ACTIVITY, ("tell",),
    ),
    "works": (a_session(), "agent works", "11", NOW - ACTIVITY, ("tell", "interrupt")),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_each_state_has_its_turn_its_word_and_its_own_beginning(name: str) -> None:
    inputs, words, rule, since, wanted = TABLE[name]
    verdict = turn.decide(inputs, NOW)
    found = (f"{verdict.match.turn} {verdict.match.word}", verdict.rule, NOW - verdict.match.since)
    assert found == (words, rule, since)
    assert wants(inputs, verdict) == wanted
    assert verdict.match.why


def test_why_money_holds_it_is_told_whole_and_without_the_commands_that_lead_on() -> None:
    used = "budget session:ma-1a2b3c4d:total is used up ($6.50 of $5.00); it never begins anew"
    ways = "ennio budget raise session:ma-1a2b3c4d:total --by USD gives more, ennio budget go-on"
    pause = replace(PAUSE, why=f"paused: {used}. {ways} ma-1a2b3c4d lets it end its turn")
    assert turn.decide(a_session(state={"pause": pause}), NOW).match.why == used


def test_every_rule_and_every_word_has_a_row_in_the_table() -> None:
    assert {row[2] for row in TABLE.values()} == {name for name, _ in turn.RULES}
    assert {row[1] for row in TABLE.values()} == {
        *(f"over {one}" for one in ("merged", "done", "killed")),
        *(f"you {one}" for one in ("asks", "ended", "money", "resume", "look", "merge")),
        *(f"you {one}" for one in ("gone", "review", "silent", "blocked")),
        *(f"world {one}" for one in ("queued", "held", "quota", "checks", "review", "merging")),
        *(f"agent {one}" for one in ("starts", "fixes", "replies", "rebases", "rests", "works")),
    }


@pytest.mark.parametrize("place", [place for place in Place if place.takes_person])
def test_why_a_working_copy_is_gone_fits_with_its_command(place: Place) -> None:
    inputs = a_session(place=replace(GONE, place=place, detail="its working copy " + "/long" * 50))
    command = "restore" if place is Place.GONE else "why"
    assert f"ennio session {command} ma-1" in turn.decide(inputs, NOW).match.why


def test_why_an_agent_rests_is_told_in_its_own_words_too() -> None:
    for agent in ({"detail": "its story has no turn for the last words"}, {}):
        rests = a_session(activity=Activity.READY, agent=agent)
        words = [*agent.values(), "why it is working"]
        assert turn.decide(rests, NOW).match.why == "; ".join(["ready", *words])


def test_what_nobody_waits_for_is_accepted_all_the_same() -> None:
    works = a_session(activity=Activity.ACTIVE)
    assert "kill" not in wants(works, turn.decide(works, NOW))
    assert {"kill", "tell", "interrupt"} <= set(accepted(works))
    over = a_session(S.MERGED, Activity.EXITED)
    assert set(accepted(over)) <= {"open", "take-over", "cleanup"}


def test_since_does_not_move_while_time_goes_by() -> None:
    for name, (inputs, words, *_) in TABLE.items():
        later = turn.decide(inputs, NOW + timedelta(milliseconds=1))
        if f"{later.match.turn} {later.match.word}" == words:
            assert later.match.since == turn.decide(inputs, NOW).match.since, name


@pytest.mark.parametrize("name", TABLE)
def test_time_alone_changes_nothing_before_it_was_said_to(name: str) -> None:
    inputs = TABLE[name][0]
    verdict = turn.decide(inputs, NOW)
    last = verdict.until or NOW + timedelta(days=400)
    assert last > NOW
    until = turn.decide(inputs, last - timedelta(microseconds=1))
    assert (until.rule, until.match) == (verdict.rule, verdict.match)


def test_who_is_quiet_for_ten_minutes_is_somebodys_turn_to_the_second() -> None:
    inputs = a_session(agent={"silent_since": NOW - timedelta(minutes=9)})
    until = turn.decide(inputs, NOW).until
    assert until == NOW + timedelta(minutes=1)
    assert turn.decide(inputs, until).match.word == "silent"


@pytest.mark.parametrize(
    "anew",
    [
        replace(ESCALATED, attempts=3),
        replace(ESCALATED, rounds=2),
        replace(ESCALATED, episode=2),
    ],
    ids=["another try", "another round", "another episode"],
)
def test_what_was_seen_is_to_be_looked_at_again_once_it_escalates_anew(
    anew: ReactionState,
) -> None:
    inputs = a_session(S.CI_FAILED, pull=RED, reactions={"ci-failed": ESCALATED})
    marks = {one.key: one.mark for one in escalations(inputs)}
    assert turn.decide(replace(inputs, seen=marks), NOW).match.word == "fixes"
    again = replace(inputs, seen=marks, reactions={"ci-failed": anew})
    assert turn.decide(again, NOW).match.word == "look"


def test_a_mark_outlives_a_clock_that_jumps() -> None:
    jumped = replace(ESCALATED, since=(ESCALATED.since or NOW) + timedelta(hours=3))
    marks = [
        escalations(a_session(S.CI_FAILED, pull=RED, reactions={"ci-failed": one}))[0].mark
        for one in (ESCALATED, jumped)
    ]
    assert marks[0] == marks[1]


# --- all there is -----------------------------------------------------------------------------------

_moments = st.sampled_from([NOW - timedelta(minutes=each) for each in (1, 10, 30, 600)])
_perhaps = st.none() | _moments
_pulls = st.none() | st.builds(
    replace,
    st.sampled_from([PULL, RED, RUNS, ANSWERED]),
    draft=st.booleans(),
    merging=st.booleans(),
    review=st.sampled_from(ReviewState),
    checks=st.sampled_from(CheckState),
    state=st.sampled_from(PullState),
)
_sessions = st.builds(
    Session,
    st.just("ma-1"),
    st.just("my-app"),
    st.sampled_from(S),
    _moments,
    _moments,
    st.just("c"),
    runtime_handle=st.none() | st.just(ALIVE),
    reason=st.none() | st.text(max_size=400),
    no_signal_since=_perhaps,
    no_signal=st.sampled_from([None, "the agent: x", "the forge: y", f"{UNWATCHED} crashed"]),
)
_states = st.builds(
    LifecycleState,
    st.sampled_from(S),
    _moments,
    desired=st.sampled_from(Desired),
    phase=st.sampled_from(Phase),
    activity=st.none() | st.sampled_from(Activity),
    activity_since=_perhaps,
    launches=st.integers(0, 2),
    stopped=st.integers(0, 1),
    killed_by=st.sampled_from([None, "a person"]),
    head_at=_perhaps,
    head=st.sampled_from([None, PULL.head]),
    signal_lost=st.booleans(),
    forge_lost=st.booleans(),
    cleaned_at=_perhaps,
    parked=st.sampled_from([None, PARKED, BEGUN, replace(PARKED, resets_at=None)]),
    pause=st.none() | st.builds(replace, st.just(PAUSE), grant=st.sampled_from(TurnGrant)),
)
_reactions = st.dictionaries(
    st.sampled_from(["ci-failed", "changes-requested", "merge-conflicts", "approved-and-green"]),
    st.sampled_from([TOLD, ESCALATED, ReactionState(), replace(ESCALATED, gone_at=NOW)]),
)
_inputs = st.builds(
    TurnInputs,
    _sessions,
    _states,
    st.none()
    | st.builds(
        AgentSeen,
        st.just(NOW),
        st.just("hook"),
        st.none() | st.sampled_from(Activity),
        since=_perhaps,
        question=st.none() | st.text(max_size=400),
        silent_since=_perhaps,
        helpers=st.integers(0, 2),
    ),
    st.none()
    | st.builds(ForgeSeen, st.sampled_from(Presence), st.just(NOW), st.just("github"), _pulls),
    reactions=_reactions,
    queued=st.sampled_from([None, QUEUED, HELD, BLOCKED]),
    waits=st.booleans(),
    rules=st.sampled_from([TurnRules(stray=True), LOCAL, ELSEWHERE, replace(LOCAL, merges=True)]),
)
WORDS = {row[1] for row in TABLE.values()}


@given(_inputs)
def test_whatever_is_known_one_rule_matches_first_and_says_the_same_again(
    inputs: TurnInputs,
) -> None:
    verdict = turn.decide(inputs, NOW)
    match = verdict.match
    first = next(name for name, rule in turn.RULES if rule(inputs, NOW) is not None)
    assert verdict.rule == first
    assert turn.decide(inputs, NOW) == verdict
    if inputs.session.status.terminal or inputs.state.killed_by:
        assert match.turn is Turn.OVER
    else:
        assert f"{match.turn} {match.word}" in WORDS
    assert len(match.word) <= 7
    assert match.since <= NOW
    assert len(match.why) <= turn_words.LONGEST
    assert "\n" not in match.why
    assert set(wants(inputs, verdict)) <= set(match.verbs)


@pytest.mark.parametrize(
    ("given_", "prompt", "title"),
    [
        ("Fix the date", "Prompt", "Fix the date"),
        (None, "\n\n  Rate-limit the\tlogin  \nand more", "Rate-limit the login"),
        ("", " \n", "ma-1"),
        (None, "x" * 200, "x" * 79 + "…"),
        (None, "a \x1b[31mred\x1b[0m title", "a \\x1b[31mred\\x1b[0m title"),
    ],
)
def test_a_title_is_one_line_of_eighty_characters_at_most(
    given_: str | None, prompt: str, title: str
) -> None:
    assert turn_words.title(given_, prompt, "ma-1") == title
