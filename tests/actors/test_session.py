"""What a session makes of what is seen of it: status that does not lie, and crashes of
its actor at every point.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import gevent
import pytest

from ennio.actors.messages import CrashForTest, ForgeObserved, RuntimeObserved
from ennio.actors.registry import session_name
from ennio.config.model import CleanupPolicy, Restart
from ennio.hosts import answering
from ennio.model.errors import Conflict, EnnioError, Refused, Unreachable
from ennio.model.facts import ForgeSeen, Presence, ProcessSeen
from ennio.model.idempotency import IdempotentRequest
from ennio.model.pulls import CheckState, ReviewState
from ennio.model.session import Activity, RuntimeHandle, SessionStatus
from ennio.plugins.forge.interface import Watch
from ennio.plugins.runtime.interface import Key
from tests.actors.ground import Play, Stage
from tests.conftest import eventually


def _process(stage: Stage, session_id: str) -> Presence | None:
    seen = stage.deps.store.facts.get(session_id).process
    return seen.presence if seen else None


def test_incident_10_a_runtime_that_cannot_be_asked_for_a_tick_changes_nothing(
    stage: Stage,
) -> None:
    session_id = stage.working()
    stage.look()
    before = stage.session(session_id)
    stage.runtime.unreachable = "tmux did not answer within 5 s"
    eventually(lambda: _process(stage, session_id) is Presence.UNKNOWN)
    stage.runtime.unreachable = ""
    eventually(lambda: _process(stage, session_id) is Presence.ALIVE)
    after = stage.session(session_id)
    assert (after.status, after.activity, after.no_signal_since) == (
        before.status,
        before.activity,
        None,
    )
    assert "signal_lost" not in stage.types(session_id)


def test_a_runtime_that_stays_away_freezes_the_status_and_is_shown_with_its_reason(
    stage: Stage,
) -> None:
    session_id = stage.working()
    stage.look()
    stage.runtime.unreachable = "tmux did not answer within 5 s"
    eventually(lambda: _process(stage, session_id) is Presence.UNKNOWN)
    stage.pass_time(3600)
    session = eventually(lambda: (s := stage.session(session_id)).no_signal_since and s)
    assert session.status is SessionStatus.WORKING  # type: ignore[attr-defined]
    told = "no signal: tmux did not answer within 5 s"
    eventually(lambda: told in stage.words(session_id))
    stage.runtime.unreachable = ""
    eventually(lambda: stage.session(session_id).no_signal_since is None)
    assert "signal_regained" in stage.types(session_id)


def test_a_forge_that_cannot_be_seen_is_shown_like_an_agent_that_cannot_be(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.checks(number, CheckState.PASSING)
    stage.until(session_id, SessionStatus.CI_PASSING)
    with_sight = stage.forge.survey

    def away(watches: Sequence[Watch]) -> Mapping[str, ForgeSeen]:
        now = stage.clock.now()
        return {
            watch.session_id: ForgeSeen(Presence.UNKNOWN, now, "stub", detail="the disk is away")
            for watch in watches
        }

    stage.forge.survey = away  # type: ignore[method-assign]
    stage.look()
    assert "signal_lost" not in stage.types(session_id), "for a moment anybody may be away"
    source = stage.orchestrator.supervisor.status()["sources"]["forge:play"]
    assert (source["ok"], source["detail"]) == (
        False,
        "1 of 1 branches cannot be seen: the disk is away",
    )
    since = stage.clock.now()
    stage.pass_time(3600)
    session = eventually(lambda: (s := stage.session(session_id)).no_signal_since and s)
    assert (session.status, session.no_signal) == (  # type: ignore[attr-defined]
        SessionStatus.CI_PASSING,
        "the forge: the disk is away",
    )
    assert session.no_signal_since <= since  # type: ignore[attr-defined]
    assert "no signal of the forge: the disk is away" in stage.words(session_id)
    stage.forge.survey = with_sight  # type: ignore[method-assign]
    eventually(lambda: stage.session(session_id).no_signal_since is None)
    assert stage.session(session_id).no_signal is None
    assert "signal_regained" in stage.types(session_id)
    assert stage.orchestrator.supervisor.status()["sources"]["forge:play"]["ok"]


def test_unknown_freezes_a_restart(play: Play) -> None:
    play.settings["project"] = {"restart": Restart(attempts=3, within=600, delay=1)}
    with play.opened() as stage:
        session_id = stage.working()
        stage.runtime.finish(session_id, exit_code=1)
        stage.until(session_id, SessionStatus.EXITED)
        stage.runtime.unreachable = "the machine is asleep"
        eventually(lambda: _process(stage, session_id) is Presence.UNKNOWN)
        stage.pass_time(30)
        stage.quiet()
        assert len(stage.runtime.launches) == 1
        stage.runtime.unreachable = ""
        eventually(lambda: len(stage.runtime.launches) == 2)


def test_incident_11_an_error_of_the_forge_changes_no_status_and_fires_no_reaction(
    stage: Stage,
) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.checks(number, CheckState.PASSING)
    stage.until(session_id, SessionStatus.CI_PASSING)
    (told,) = eventually(stage.deps.store.notifications.list)  # that it can be merged
    count = len(stage.messages(session_id))
    stage.forge.trouble = Unreachable("502 Bad Gateway")
    eventually(
        lambda: (
            (f := stage.deps.store.facts.get(session_id).forge) and f.presence is Presence.UNKNOWN
        )
    )
    stage.pass_time(60)
    stage.look()
    session = stage.session(session_id)
    assert (session.status, session.pr_number) == (SessionStatus.CI_PASSING, number)
    assert len(stage.messages(session_id)) == count
    assert [notice.id for notice in stage.deps.store.notifications.list()] == [told.id]


def _forge_is_well(stage: Stage) -> bool:
    health = stage.orchestrator.supervisor.health().get(
        "forge:play"
    )  # none while its actor is being started again
    return health is not None and health.ok


@pytest.mark.parametrize("bug", [False, True])
def test_a_forge_that_raises_is_told_as_unknown_or_restarted(stage: Stage, bug: bool) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)

    def wrong() -> None:
        if bug:
            stage.forge.before.clear()
            raise RuntimeError("a bug in the plugin")
        raise Unreachable("no route to host")

    stage.forge.before["survey"] = wrong
    eventually(
        lambda: (
            stage.orchestrator.supervisor.status()["actors"]["troubled"]
            or not _forge_is_well(stage)
        )
    )
    assert stage.session(session_id).pr_number == number
    stage.forge.before.clear()
    stage.forge.checks(number, CheckState.PASSING)
    stage.until(session_id, SessionStatus.CI_PASSING)


def test_incident_12_without_its_last_word_a_dead_agent_is_seen_by_the_runtime(
    stage: Stage,
) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.ACTIVE, ready=True)  # its last word, for ever
    stage.runtime.finish(session_id, signal=9)
    session = stage.until(session_id, SessionStatus.EXITED)
    assert session.activity is Activity.EXITED
    assert "signal 9" in (session.reason or "")


def test_incident_14_waiting_for_input_never_decays(stage: Stage) -> None:
    session_id = stage.working()
    stage.says(session_id, Activity.WAITING_INPUT, question="May I run rm?")
    eventually(lambda: stage.session(session_id).activity is Activity.WAITING_INPUT)
    for _ in range(3):
        stage.pass_time(86_400)
        stage.look()
    assert stage.session(session_id).activity is Activity.WAITING_INPUT


def test_ready_turns_idle_with_time(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    stage.pass_time(301)
    eventually(lambda: stage.session(session_id).activity is Activity.IDLE)


def test_incident_15_a_persons_kill_stays_a_kill_and_alarms_nobody(stage: Stage) -> None:
    session_id = stage.working()
    stage.orchestrator.sessions.kill(session_id)
    eventually(lambda: session_id in stage.runtime.stopped)
    stage.pass_time(3600)
    stage.look()
    session = stage.session(session_id)
    assert session.status is SessionStatus.KILLED
    assert session.reason == "killed by a person"
    assert not {"session_exited", "signal_lost"} & set(stage.types(session_id))
    urgent = [
        n
        for n in stage.deps.store.notifications.list()
        if n.session_id == session_id and n.reaction != "all-complete"
    ]
    assert not urgent


def test_incident_17_approved_is_not_shown_before_the_checks(stage: Stage) -> None:
    session_id = stage.working()
    number = stage.pull(session_id)
    stage.forge.review(number, "ada", ReviewState.APPROVED, "")
    stage.look()
    assert stage.session(session_id).status is SessionStatus.PR_OPEN
    assert "merge_ready" not in stage.types(session_id)
    stage.forge.checks(number, CheckState.PENDING)
    stage.look()
    assert stage.session(session_id).status is SessionStatus.PR_OPEN
    stage.forge.checks(number, CheckState.PASSING)
    stage.until(session_id, SessionStatus.APPROVED)
    assert "merge_ready" in stage.types(session_id)


def test_incident_19_last_activity_is_the_agents_own_and_not_our_typing(stage: Stage) -> None:
    session_id = stage.working()
    stage.rests(session_id)
    before = stage.session(session_id).last_activity_at
    stage.clock.advance(120)
    stage.orchestrator.sessions.send(session_id, "Are you there?")
    eventually(lambda: stage.messages(session_id)[-1].state == "delivered")
    stage.runtime.show(session_id, "> Are you there?", at=stage.clock.now())
    stage.look()
    assert stage.session(session_id).last_activity_at == before
    stage.clock.advance(60)
    stage.runtime.show(session_id, "I am", at=stage.clock.now())
    eventually(lambda: stage.session(session_id).last_activity_at == stage.clock.now())


def test_what_the_agent_does_while_a_message_waits_counts_as_its_activity(stage: Stage) -> None:
    session_id = stage.working()
    stage.agent.typable = False
    stage.rests(session_id)
    stage.orchestrator.sessions.send(session_id, "later")
    eventually(lambda: "no place to type" in stage.messages(session_id)[-1].detail)
    stage.pass_time(1)
    for _ in range(4):
        stage.pass_time(2)
        stage.look()
    stage.runtime.show(session_id, "output of its own", at=stage.clock.now())
    eventually(lambda: stage.session(session_id).last_activity_at == stage.clock.now())


def test_a_survey_from_before_a_launch_is_not_believed(stage: Stage) -> None:
    before = time.monotonic()
    session_id = stage.working()
    gone = ProcessSeen(Presence.GONE, stage.clock.now(), "an old survey")
    stage.deps.actors.tell(session_name(session_id), RuntimeObserved(gone, before))
    stage.quiet()
    assert stage.session(session_id).status is SessionStatus.WORKING
    assert _process(stage, session_id) is Presence.ALIVE


def test_what_the_forge_said_before_the_agent_ended_does_not_make_it_done(stage: Stage) -> None:
    session_id = stage.working()
    stage.look()
    facts = stage.deps.store.facts.get(session_id)
    assert facts.forge is not None
    assert facts.forge.presence is Presence.GONE
    old, begun, before = facts.forge, time.monotonic(), stage.forge.surveys
    stage.forge.before["survey"] = lambda: gevent.sleep(600)  # nobody can look any more
    eventually(lambda: stage.forge.surveys > before)
    stage.runtime.finish(session_id, exit_code=0)
    eventually(lambda: _process(stage, session_id) is Presence.GONE)
    stage.deps.actors.tell(session_name(session_id), ForgeObserved(old, begun - 1))
    stage.quiet()
    assert stage.session(session_id).status is SessionStatus.WORKING


def test_an_agent_that_ended_well_and_left_nothing_is_done(stage: Stage) -> None:
    session_id = stage.working()
    stage.look()
    stage.runtime.finish(session_id, exit_code=0)
    assert stage.until(session_id, SessionStatus.DONE).outcome == "finished"


def test_an_agent_that_ended_well_with_lines_of_its_own_is_exited_and_says_so(stage: Stage) -> None:
    session_id = stage.working()
    (stage.deps.home.workspace("stub", "play", session_id) / "new.py").write_text("x = 1\n")
    stage.runtime.finish(session_id, exit_code=0)
    assert "1 uncommitted" in (stage.until(session_id, SessionStatus.EXITED).reason or "")


def test_every_status_can_be_asked_why(stage: Stage) -> None:
    session_id = stage.working()
    stage.runtime.finish(session_id, exit_code=3)
    stage.until(session_id, SessionStatus.EXITED)
    why = stage.deps.store.evidence.latest(session_id)
    assert why is not None
    assert (why.status, why.rule) == (SessionStatus.EXITED, "the agent ended with exit code 3")
    assert [(ground.what, ground.source) for ground in why.facts] == [
        ("the process ended with exit code 3", "stub survey")
    ]


# --- the actor ends hard at every point, and a new one goes on ------------------------------------


@pytest.mark.parametrize("action", ["create", "prepare", "start"])
def test_a_crash_between_a_deed_and_its_record_repeats_nothing(stage: Stage, action: str) -> None:
    stage.hooks[action] = lambda name: stage.deps.actors.tell(session_name(name), CrashForTest())  # type: ignore[assignment,return-value]
    session_id = stage.launched()
    stage.settle_in(session_id)
    stage.look()
    assert "session_adopted" in stage.types(session_id), "it did crash"
    assert [launch.number for launch in stage.runtime.launches] == [1]
    assert [m.text for m in stage.messages(session_id)] == [
        (stage.deps.home.session(session_id) / "prompt.md").read_text()
    ]
    assert not stage.runtime.pasted(session_id), "the prompt went with the command line, once"


@pytest.mark.parametrize("action", ["paste", "enter"])
def test_a_crash_while_a_message_is_typed_gives_it_to_the_agent_once(
    stage: Stage, action: str
) -> None:
    session_id = stage.working()
    stage.rests(session_id)

    def crash(name: str) -> None:
        ref = stage.deps.actors.ref(session_name(name))
        assert ref is not None
        ref.tell(CrashForTest())
        eventually(lambda: not ref.is_alive())

    stage.hooks[action] = crash
    message = stage.orchestrator.sessions.send(session_id, "Play it again")
    _tick_until_delivered(stage, message.id)
    assert "session_adopted" in stage.types(session_id), "it did crash"
    taken = [words for _, words in stage.agent._taken[session_id]]
    assert taken.count("Play it again") == 1
    assert stage.types(session_id).count("message_delivered") == 2, "the prompt and this one"


@pytest.mark.parametrize("action", ["stop", "remove"])
def test_a_crash_while_it_ends_ends_it_all_the_same(stage: Stage, action: str) -> None:
    session_id = stage.working()
    stage.hooks[action] = lambda name: stage.deps.actors.tell(session_name(name), CrashForTest())  # type: ignore[assignment,return-value]
    stage.orchestrator.sessions.kill(session_id)
    eventually(lambda: session_id in stage.runtime.stopped)
    eventually(lambda: stage.alive(session_name(session_id)))
    clean = stage.orchestrator.workspaces.cleanup
    eventually(
        lambda: (
            clean(session_id, None, dry_run=False, force=True)[0].action in ("removing", "nothing")
        )
    )
    eventually(lambda: stage.session(session_id).archived_at)
    assert stage.session(session_id).status is SessionStatus.KILLED
    assert stage.types(session_id).count("session_killed") == 1
    assert not stage.runtime.survey()


def test_the_whole_house_may_end_between_a_launch_and_its_record(play: Play) -> None:
    with play.opened() as stage:
        stage.hooks["start"] = lambda _name: gevent.sleep(600)
        session_id = stage.spawn()
        eventually(lambda: stage.runtime.launches)
    with play.opened() as stage:
        stage.settle_in(session_id)
        stage.look()
    assert [launch.number for launch in play.runtime.launches] == [1]


def test_a_resume_carries_its_message_once_although_its_actor_crashes(play: Play) -> None:
    play.agent.one_shot = True
    with play.opened() as stage:
        session_id = stage.working()
        number = stage.pull(session_id)
        stage.runtime.finish(session_id, exit_code=0)
        eventually(lambda: stage.session(session_id).activity is Activity.EXITED)
        stage.hooks["start"] = lambda name: stage.deps.actors.tell(
            session_name(name), CrashForTest()
        )  # type: ignore[assignment,return-value]
        message = stage.orchestrator.sessions.send(session_id, "One more thing")
        _tick_until_delivered(stage, message.id)
        assert "session_adopted" in stage.types(session_id), "it did crash"
        assert [launch.number for launch in stage.runtime.launches] == [1, 2]
        taken = [words for _, words in stage.agent._taken[session_id]]
        assert taken.count("One more thing") == 1
        assert stage.session(session_id).pr_number == number


def _tick_until_delivered(stage: Stage, message_id: str) -> None:
    def delivered() -> bool:
        stage.pass_time(3)
        message = stage.deps.store.messages.get(message_id)
        return message is not None and message.state == "delivered"

    eventually(delivered)


def test_a_deadline_of_a_session_survives_its_crash(play: Play) -> None:
    play.settings["project"] = {"restart": Restart(attempts=2, within=600, delay=30)}
    with play.opened() as stage:
        session_id = stage.working()
        stage.runtime.finish(session_id, exit_code=1)
        stage.until(session_id, SessionStatus.EXITED)
        stage.crash_session(session_id)
        stage.look()
        assert len(stage.runtime.launches) == 1
        stage.pass_time(31)
        eventually(lambda: len(stage.runtime.launches) == 2)


def test_interrupt_presses_escape(stage: Stage) -> None:
    session_id = stage.working()
    stage.orchestrator.sessions.interrupt(session_id)
    assert (session_id, Key.ESCAPE) in stage.runtime.presses


def test_an_answer_is_typed_while_the_agent_asks_and_never_else(stage: Stage) -> None:
    session_id = stage.working()
    with pytest.raises(Conflict, match="asks nothing"):
        stage.orchestrator.sessions.answer(session_id, "blue")
    stage.agent.choices = ("red", "blue")
    stage.agent.says(
        session_id,
        stage.clock.now(),
        activity=Activity.WAITING_INPUT,
        question="Which colour? [red / blue]",
    )
    stage.look()
    eventually(lambda: stage.session(session_id).activity is Activity.WAITING_INPUT)
    with pytest.raises(Refused, match="choose one of: red, blue"):
        stage.orchestrator.sessions.answer(session_id, "green")
    assert not [
        text
        for name, text in stage.runtime.pastes
        if name == session_id and text in ("green", "blue")
    ]
    stage.orchestrator.sessions.answer(session_id, "blue")
    assert [text for name, text in stage.runtime.pastes if name == session_id][-1] == "blue"
    assert stage.runtime.presses[-1] == (session_id, Key.ENTER)


ONCE = IdempotentRequest.of("k-1", "answer", "blue")


def asks(stage: Stage, question: str = "Which colour? [red / blue]") -> str:
    """A session whose agent waits for an answer, by default for one of two colours."""
    session_id = stage.working()
    stage.agent.choices = ("red", "blue")
    stage.says(session_id, Activity.WAITING_INPUT, question=question)
    stage.look()
    eventually(lambda: stage.session(session_id).activity is Activity.WAITING_INPUT)
    return session_id


def typed(stage: Stage, session_id: str) -> list[str]:
    return [text for name, text in stage.runtime.pastes if name == session_id and text == "blue"]


def test_an_answer_that_is_meant_for_another_question_is_not_typed(stage: Stage) -> None:
    session_id = asks(stage)

    def answer(question: str) -> None:
        stage.orchestrator.sessions.answer(session_id, "blue", question=question)

    with pytest.raises(Conflict, match="asks something else by now, and nothing was answered: "):
        answer(question="Delete it?")
    assert typed(stage, session_id) == []
    agent = stage.deps.store.facts.get(session_id).agent
    assert agent is not None
    assert agent.question is not None
    answer(question=f"{agent.question} [1. red / 2. blue]")  # told with its choices, or without
    assert typed(stage, session_id) == ["blue"]


def answered(stage: Stage, session_id: str) -> list[str]:
    """What the log says was answered."""
    steps = [event.data for event in stage.deps.store.events.after(0, session_id=session_id)]
    return [data["answer"] for data in steps if data.get("step") == "answered"]


def test_an_answer_that_is_sent_again_under_its_key_is_typed_once(stage: Stage) -> None:
    session_id = asks(stage)
    stage.orchestrator.sessions.answer(session_id, "blue", ONCE)
    stage.says(session_id, Activity.ACTIVE)
    stage.look()
    stage.orchestrator.sessions.answer(session_id, "blue", ONCE)
    assert typed(stage, session_id) == ["blue"]
    assert answered(stage, session_id) == ["blue"]


def test_an_answer_that_is_sent_at_once_under_one_key_is_typed_once_and_answered_alike(
    stage: Stage,
) -> None:
    session_id = asks(stage)
    errors: list[EnnioError | None] = []

    def give(once: IdempotentRequest) -> None:
        try:
            stage.orchestrator.sessions.answer(session_id, "blue", once)
            errors.append(None)
        except EnnioError as error:
            errors.append(error)

    other = IdempotentRequest.of("k-2", "answer", "blue")
    gevent.joinall([gevent.spawn(give, once) for once in (ONCE, ONCE, other, ONCE, ONCE)])
    give(ONCE)
    (refused,) = [str(one) for one in errors if one is not None]
    assert "was answered meanwhile, or asks something else by now" in refused, "of another key"
    assert typed(stage, session_id) == ["blue"]
    assert answered(stage, session_id) == ["blue"]


def test_an_answer_that_was_refused_may_be_given_again_under_its_key(stage: Stage) -> None:
    session_id = stage.working()
    with pytest.raises(Conflict, match="asks nothing"):
        stage.orchestrator.sessions.answer(session_id, "blue", ONCE)
    stage.agent.choices = ("red", "blue")
    stage.says(session_id, Activity.WAITING_INPUT, question="Which colour? [red / blue]")
    stage.look()
    eventually(lambda: stage.session(session_id).activity is Activity.WAITING_INPUT)
    stage.orchestrator.sessions.answer(session_id, "blue", ONCE)
    assert typed(stage, session_id) == ["blue"]


def test_an_answer_of_which_a_killed_life_could_not_tell_any_more_is_told(stage: Stage) -> None:
    session_id = asks(stage)
    stage.deps.store.idempotency.begin(ONCE, session_id, stage.clock.now())
    stage.says(session_id, Activity.ACTIVE)
    stage.look()
    stage.orchestrator.sessions.answer(session_id, "blue", ONCE)
    assert (typed(stage, session_id), answered(stage, session_id)) == ([], ["blue"])


def test_an_answer_begun_by_a_life_before_is_not_typed_again_where_the_agent_asks(
    stage: Stage,
) -> None:
    session_id = asks(stage)
    stage.deps.store.idempotency.begin(ONCE, session_id, stage.clock.now())
    with pytest.raises(Conflict, match=f"begun before.*ennio output {session_id}"):
        stage.orchestrator.sessions.answer(session_id, "blue", ONCE)
    assert typed(stage, session_id) == []
    stage.orchestrator.sessions.answer(session_id, "blue", IdempotentRequest.of("k-2", "blue"))
    assert typed(stage, session_id) == ["blue"]


def test_a_dialog_that_swallows_the_first_keys_is_answered_as_its_mark_stands(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = asks(stage, "Trust it? [1. No, exit / 2. Yes]")
    pressed: list[Key] = []

    def keys(screen: str, text: str) -> tuple[Key, ...]:
        return (
            (Key.ENTER,) if pressed.count(Key.DOWN) >= 2 else (Key.DOWN, Key.ENTER)
        )  # the first is lost

    def press(_: RuntimeHandle, key: Key) -> None:
        pressed.append(key)
        if key is Key.ENTER:
            stage.runtime.show(session_id, "trusted")

    monkeypatch.setattr(stage.agent, "answer", keys)
    monkeypatch.setattr(stage.runtime, "press", press)
    stage.orchestrator.sessions.answer(session_id, "yes")
    assert pressed == [Key.DOWN, Key.DOWN, Key.ENTER]


def test_a_dialog_that_draws_itself_anew_gets_enter_only_once_its_mark_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claude Code's about trust goes back to "No, exit" 0.15 s after it came up."""
    session_id = asks(stage, "Trust it? [1. No, exit / 2. Yes]")
    mark, looks, chosen = [1], [0], list[int]()

    def keys(screen: str, text: str) -> tuple[Key, ...]:
        looks[0] += 1
        if looks[0] == 4:
            mark[0] = 1  # drawn anew
        return (Key.ENTER,) if mark[0] == 2 else (Key.DOWN, Key.ENTER)

    def press(_: RuntimeHandle, key: Key) -> None:
        if key is Key.DOWN:
            mark[0] = 2
        else:
            chosen.append(mark[0])
            stage.runtime.show(session_id, "trusted")

    monkeypatch.setattr(stage.agent, "answer", keys)
    monkeypatch.setattr(stage.runtime, "press", press)
    stage.orchestrator.sessions.answer(session_id, "yes")
    assert (chosen, looks[0] > 4) == ([2], True)


def test_an_answer_that_a_dialog_swallows_is_refused_and_not_called_given(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = asks(stage, "Trust it? [1. Yes / 2. No]")
    monkeypatch.setattr(answering, "ANSWERED", 2)
    monkeypatch.setattr(stage.agent, "answer", lambda *_: (Key.ENTER,))
    with pytest.raises(Refused, match="nothing moved on the screen"):
        stage.orchestrator.sessions.answer(session_id, "yes")
    assert not [
        event
        for event in stage.deps.store.events.after(0, session_id=session_id)
        if event.data.get("step") == "answered"
    ]


def test_a_restored_session_goes_on_in_the_workspace_it_has(stage: Stage) -> None:
    session_id = stage.working()
    path = stage.deps.home.workspace("stub", "play", session_id)
    (path / "mine.txt").write_text("two hundred lines")
    stage.runtime.finish(session_id, exit_code=1)
    stage.until(session_id, SessionStatus.EXITED)
    stage.orchestrator.sessions.restore(session_id)
    eventually(lambda: [launch.number for launch in stage.runtime.launches] == [1, 2])
    assert (path / "mine.txt").read_text() == "two hundred lines"
    assert stage.agent.resumes == [(session_id, None)]
    assert stage.session(session_id).restored_at == stage.clock.now()
    assert stage.clock.now() - stage.session(session_id).created_at < timedelta(seconds=60)


def test_a_workspace_that_a_person_removes_is_noticed_its_messages_wait_and_it_can_be_made_again(
    stage: Stage,
) -> None:
    session_id = stage.working()
    path = stage.deps.home.workspace("stub", "play", session_id)
    stage.rests(session_id)
    shutil.rmtree(path)
    eventually(
        lambda: f"`ennio session restore {session_id}`" in (stage.session(session_id).reason or "")
    )

    message = stage.orchestrator.sessions.send(session_id, "Go on")
    stage.look()
    waiting = next(one for one in stage.messages(session_id) if one.id == message.id)
    stage.orchestrator.sessions.restore(session_id)

    assert waiting.state.value == "queued"
    eventually(lambda: [launch.number for launch in stage.runtime.launches] == [1, 2])
    assert session_id in stage.runtime.stopped
    assert path.is_dir()
    eventually(lambda: "is gone" not in (stage.session(session_id).reason or ""))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_is_put_back_an_hour_keeps_no_cleaning_waiting_for_it(
    play: Play, restarted: bool
) -> None:
    play.settings["cleanup"] = CleanupPolicy(killed_after=60.0)
    with play.opened() as stage:
        session_id = stage.working()
        stage.orchestrator.sessions.kill(session_id)
        eventually(lambda: session_id in stage.runtime.stopped)
        stage.quiet()
        if not restarted:
            stage.clock.put(-3600)
            stage.pass_time(61)
            eventually(lambda: stage.session(session_id).archived_at)
    if restarted:
        play.clock.put(-3600)
        with play.opened() as stage:
            stage.pass_time(61)
            eventually(lambda: stage.session(session_id).archived_at)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("starting\nError: no API key\n\n", ': "Error: no API key"'),
        ("\x1b]0;mine\x07 \u202egpj.x\n", ': "\\x1b]0;mine\\x07 \\u202egpj.x"'),
        ("", ""),
    ],
)
def test_an_agent_that_ends_badly_is_quoted_with_its_last_line_in_all_faces(
    stage: Stage, shown: str, said: str
) -> None:
    session_id = stage.working()
    stage.runtime.show(session_id, shown)
    stage.runtime.finish(session_id, exit_code=1)
    ended = stage.until(session_id, SessionStatus.EXITED)
    assert ended.reason == f"the agent ended with exit code 1{said}"
    view = stage.orchestrator.sessions.detail(session_id)
    assert view.turn_why == ended.reason
    assert stage.orchestrator.sessions.evidence(session_id, 1)[0].rule == ended.reason
