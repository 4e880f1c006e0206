"""Auto-merge: exactly what was approved and green, once, over every crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ennio.actors.merger import forbid
from ennio.actors.registry import MERGES
from ennio.config.model import ReactionAction, StaleApprovals
from ennio.model.delivery import DeliveryState
from ennio.model.errors import Conflict, EnnioError, Refused, Unreachable
from ennio.model.pulls import CheckState, Mergeability, Opinion, PullState, ReviewState
from ennio.model.session import SessionStatus
from ennio.plugins.forge.interface import Merged
from ennio.policy.merging import PATIENCE, Held, Remedy, Superseded
from ennio.store import Notice
from tests.actors.ground import Play, Stage, kill
from tests.conftest import eventually
from tests.policy.lifecycle.world import pull_request


@pytest.fixture
def stage(play: Play) -> Iterator[Stage]:
    play.settings["project"] = {
        "reactions": {"approved-and-green": {"action": ReactionAction.AUTO_MERGE}}
    }
    with play.opened() as opened:
        yield opened


def _green(stage: Stage, session_id: str) -> int:
    number = stage.pull(session_id)
    stage.forge.checks(number, CheckState.PASSING)
    stage.until(session_id, SessionStatus.CI_PASSING)
    return number


def _approve(stage: Stage, number: int) -> None:
    stage.forge.review(number, "ada", ReviewState.APPROVED, "")


def _notice(stage: Stage, name: str) -> Notice:
    found = stage.deps.store.notifications.get(name)
    assert found is not None
    return found


def _rung(stage: Stage, words: str) -> list[str]:
    """What people were told in which these words are."""
    bell = stage.notifiers.get("bell")
    return [one.message for one in bell.sent if words in one.message] if bell is not None else []


def test_what_nobody_approved_is_told_once_and_merged_only_once_somebody_did(stage: Stage) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    told = f"#{number} can be merged: no review is required"
    eventually(lambda: any(told in n.message for n in stage.deps.store.notifications.list()))
    stage.look()
    assert stage.forge.merges == []
    notices = [n for n in stage.deps.store.notifications.list() if told in n.message]
    assert [n.reaction for n in notices] == ["approved-and-green"]
    _approve(stage, number)
    stage.until(session_id, SessionStatus.MERGED)
    assert len(stage.forge.merges) == 1
    eventually(lambda: _notice(stage, notices[0].id).resolved_at)


def test_what_is_approved_and_green_is_merged_once(stage: Stage) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    head = stage.forge.look(number).head
    _approve(stage, number)
    stage.until(session_id, SessionStatus.MERGED)
    stage.look()
    assert stage.forge.merges == [(number, head)]
    merge = stage.deps.store.merges.get(session_id, head)
    assert merge is not None
    assert (merge.state, merge.commit) == (
        DeliveryState.DONE,
        stage.forge.look(number).merge_commit,
    )


@pytest.mark.parametrize("restart", ["actor", "house"])
def test_a_crash_between_the_merge_and_its_record_merges_nothing_twice(
    play: Play, restart: str
) -> None:
    play.settings["project"] = {
        "reactions": {"approved-and-green": {"action": ReactionAction.AUTO_MERGE}}
    }
    with play.opened() as stage:
        session_id = stage.working()
        number = _green(stage, session_id)
        head = stage.forge.look(number).head
        ref = stage.deps.actors.ref(MERGES)
        assert ref is not None
        stage.hooks["merge"] = lambda _number: kill(ref)
        _approve(stage, number)
        eventually(lambda: not ref.is_alive())
        if restart == "actor":
            eventually(
                lambda: (
                    (m := stage.deps.store.merges.get(session_id, head))
                    and m.state is DeliveryState.DONE
                )
            )
    with play.opened() as stage:
        eventually(
            lambda: (
                (m := stage.deps.store.merges.get(session_id, head))
                and m.state is DeliveryState.DONE
            )
        )
        stage.until(session_id, SessionStatus.MERGED, SessionStatus.DONE)
    commits = {merge[1] for merge in play.forge.merges}
    assert commits == {head}
    assert play.forge.look(number).merge_commit is not None
    assert play.forge._pushes == 2, "one push by the agent, one commit on the base"


def test_an_intention_that_was_never_carried_out_is_taken_up_after_a_restart(play: Play) -> None:
    play.settings["project"] = {
        "reactions": {"approved-and-green": {"action": ReactionAction.AUTO_MERGE}}
    }
    with play.opened() as stage:
        session_id = stage.working()
        number = _green(stage, session_id)
        real, play.forge.merge = play.forge.merge, _away  # type: ignore[method-assign,assignment]
        _approve(stage, number)
        eventually(stage.deps.store.merges.open)
    play.forge.merge = real  # type: ignore[method-assign]
    with play.opened() as stage:
        stage.until(session_id, SessionStatus.MERGED)
    assert len(play.forge.merges) == 1


def _away(*_words: object, **_more: object) -> None:
    raise Unreachable("the forge does not answer")


def test_a_forge_that_does_not_answer_is_asked_again_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    with monkeypatch.context() as patched:
        patched.setattr(stage.forge, "merge", _away)
        _approve(stage, number)
        eventually(stage.deps.store.merges.open)
        stage.quiet()
    stage.pass_time(11)
    stage.until(session_id, SessionStatus.MERGED)


def test_one_merge_out_of_reach_keeps_no_other_waiting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stage.working("one"), stage.working("two")
    one, two = _green(stage, first), _green(stage, second)
    real = stage.forge.merge

    def partly(number: int, *words: object) -> object:
        return _away() if number == one else real(number, *words)

    monkeypatch.setattr(stage.forge, "merge", partly)
    _approve(stage, one)
    eventually(stage.deps.store.merges.open)
    _approve(stage, two)
    stage.until(second, SessionStatus.MERGED)
    assert stage.session(first).status is SessionStatus.APPROVED


def test_a_merge_that_is_forbidden_at_the_last_moment_is_said_to_a_person(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    real = stage.forge.look
    monkeypatch.setattr(stage.forge, "look", lambda n: replace(real(n), checks=CheckState.FAILING))
    _approve(stage, number)
    eventually(lambda: _held(stage, session_id))
    assert "reaction_escalated" not in stage.types(session_id), "it may pass by itself"
    stage.pass_time(PATIENCE.total_seconds())
    eventually(lambda: len(_rung(stage, "its checks are failing")) == 1)
    assert not stage.forge.merges
    assert "reaction_escalated" in stage.types(session_id)


def _held(stage: Stage, session_id: str) -> str | None:
    """Why the merge of a session is held back, by the kind of reason."""
    return next(
        (merge.held for merge in stage.deps.store.merges.open() if merge.session_id == session_id),
        None,
    )


def test_a_merge_that_was_refused_once_is_not_refused_for_good(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    with monkeypatch.context() as patched:
        patched.setattr(
            stage.forge,
            "merge",
            _refusing(Held("Base branch was modified", Remedy.AGAIN, "base moved")),
        )
        _approve(stage, number)
        eventually(lambda: _held(stage, session_id) == "base moved")
    stage.pass_time(11)
    stage.until(session_id, SessionStatus.MERGED)
    assert "reaction_escalated" not in stage.types(session_id)


def test_what_only_a_person_mends_is_said_at_once_and_merged_when_it_is_mended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    with monkeypatch.context() as patched:
        patched.setattr(stage.forge, "merge", _refusing(Refused("main is checked out in /srv/app")))
        _approve(stage, number)
        eventually(lambda: "reaction_escalated" in stage.types(session_id))
        for _ in range(5):
            stage.pass_time(1000)
            stage.quiet()
        assert stage.types(session_id).count("reaction_escalated") == 1, "one reason, one call"
    stage.pass_time(1000)
    stage.until(session_id, SessionStatus.MERGED)


def test_the_reason_for_which_a_merge_waits_is_in_the_history_of_the_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    monkeypatch.setattr(
        stage.forge,
        "merge",
        _refusing(Held("the check lint is expected", Remedy.WAIT, "required checks")),
    )
    _approve(stage, number)
    eventually(lambda: _held(stage, session_id))
    newest = stage.deps.store.reactions.history(session_id, 1)[0]
    assert (newest.key, newest.outcome) == ("approved-and-green", "waits")
    assert "the check lint is expected; it is waited for" in newest.detail


def test_a_merge_that_the_forge_took_over_and_gave_back_is_said_to_a_person(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    with monkeypatch.context() as patched:
        patched.setattr(
            stage.forge, "merge", lambda *_words: Merged("", "it is in the merge queue")
        )
        _approve(stage, number)
        eventually(lambda: _held(stage, session_id) == "handed over")
        stage.pass_time(60)
        eventually(lambda: "reaction_escalated" in stage.types(session_id))
    assert _held(stage, session_id) == "given back"
    assert not stage.forge.merges


def test_a_forge_that_was_to_merge_later_is_told_not_to_once_there_is_a_new_head(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    told: list[int] = []

    def later(_number: int, *_words: object) -> Merged:
        stage.forge._keep(replace(stage.forge.look(number), merging=True))
        return Merged("", "the forge merges it by itself")

    def withdraw(which: int) -> None:
        told.append(which)
        stage.forge._keep(replace(stage.forge.look(which), merging=False))

    monkeypatch.setattr(stage.forge, "withdraw", withdraw, raising=False)
    with monkeypatch.context() as patched:
        patched.setattr(stage.forge, "merge", later)
        _approve(stage, number)
        eventually(lambda: _held(stage, session_id) == "handed over")
        stage.look()
        assert told == []
        head = stage.forge.look(number).head
        stage.forge.push(stage.branch(session_id))
        eventually(lambda: told == [number], why="at once, without the clock going on")
        eventually(
            lambda: (
                (m := stage.deps.store.merges.get(session_id, head))
                and m.state is DeliveryState.DROPPED
            )
        )
    stage.forge.checks(number, CheckState.PASSING)
    stage.look()
    assert stage.forge.merges == []
    _approve(stage, number)
    stage.until(session_id, SessionStatus.MERGED)


def test_a_forge_that_was_to_merge_later_is_told_not_to_once_its_session_was_killed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    asked: list[int] = []

    def withdraw(which: int) -> None:
        asked.append(which)
        if len(asked) == 1:
            raise Unreachable("the forge does not answer")
        stage.forge._keep(replace(stage.forge.look(which), merging=False))

    def later(_number: int, *_words: object) -> Merged:
        stage.forge._keep(replace(stage.forge.look(number), merging=True))
        return Merged("", "the forge merges it by itself")

    monkeypatch.setattr(stage.forge, "withdraw", withdraw, raising=False)
    monkeypatch.setattr(stage.forge, "merge", later)
    _approve(stage, number)
    eventually(lambda: _held(stage, session_id) == "handed over")
    stage.look()
    stage.orchestrator.sessions.kill(session_id)
    eventually(lambda: asked)
    stage.look()
    assert asked == [number], "who does not answer is not asked again and again"
    stage.pass_time(11)
    head = stage.forge.look(number).head
    eventually(
        lambda: (
            (m := stage.deps.store.merges.get(session_id, head))
            and m.state is DeliveryState.DROPPED
        )
    )
    assert asked == [number, number]


def test_a_merge_whose_session_was_killed_is_dropped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    monkeypatch.setattr(
        stage.forge, "merge", _refusing(Held("not yet", Remedy.WAIT, "required checks"))
    )
    _approve(stage, number)
    eventually(lambda: _held(stage, session_id))
    head = stage.forge.look(number).head
    stage.orchestrator.sessions.kill(session_id)
    stage.pass_time(60)
    eventually(
        lambda: (
            (m := stage.deps.store.merges.get(session_id, head))
            and m.state is DeliveryState.DROPPED
        )
    )


def _refusing(error: EnnioError) -> Callable[..., None]:
    def merge(*_words: object) -> None:
        raise error

    return merge


WRONG = {
    "another head": {"head": "h2"},
    "red": {"checks": CheckState.FAILING},
    "pending": {"checks": CheckState.PENDING},
    "not approved": {"review": ReviewState.NONE},
    "changes requested": {"review": ReviewState.CHANGES_REQUESTED},
    "conflicting": {"mergeability": Mergeability.CONFLICTING},
    "conflicting, its checks unknown": {
        "mergeability": Mergeability.CONFLICTING,
        "checks": CheckState.UNKNOWN,
    },
    "a draft": {"draft": True},
    "closed": {"state": PullState.CLOSED},
    "for another base": {"base": "release"},
    "approved at another head": {"opinions": (Opinion("ada", ReviewState.APPROVED, "h0"),)},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_is_merged_that_is_not_exactly_what_was_approved(wrong: str) -> None:
    good = pull_request(review=ReviewState.APPROVED)
    forbid(good, "h1", "main")
    with pytest.raises(Conflict, match="#1 is not merged: ") as error:
        forbid(replace(good, **WRONG[wrong]), "h1", "main")
    assert isinstance(error.value, Superseded) is (wrong in ("another head", "closed"))


@pytest.mark.parametrize(
    "unknown", [{"checks": CheckState.UNKNOWN}, {"mergeability": Mergeability.UNKNOWN}]
)
def test_what_the_forge_does_not_know_yet_is_waited_for(unknown: dict[str, object]) -> None:
    with pytest.raises(Held, match="#1 is not merged yet: the forge does not know its") as held:
        forbid(replace(pull_request(review=ReviewState.APPROVED), **unknown), "h1", "main")
    assert held.value.remedy is Remedy.AGAIN


def test_a_base_that_has_just_moved_costs_time_and_no_merge(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    real = stage.forge.look
    with monkeypatch.context() as patched:
        patched.setattr(
            stage.forge, "look", lambda n: replace(real(n), mergeability=Mergeability.UNKNOWN)
        )
        _approve(stage, number)
        eventually(stage.deps.store.merges.open)
        stage.quiet()
        assert not stage.forge.merges
    stage.pass_time(11)
    stage.until(session_id, SessionStatus.MERGED)
    assert "reaction_escalated" not in stage.types(session_id)


def test_an_approval_of_an_earlier_head_merges_nothing_by_itself(stage: Stage) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    stage.forge.checks(number, CheckState.PENDING)
    _approve(stage, number)
    approved = stage.forge.look(number).head
    unseen = stage.forge.push(stage.branch(session_id))
    stage.forge.checks(number, CheckState.PASSING)
    session = stage.until(session_id, SessionStatus.APPROVED)
    stage.look()
    assert stage.forge.merges == []
    assert f"of {approved[:7]} and not of {unseen[:7]}" in (session.reason or "")
    grounds = [ground.what for ground in stage.deps.store.evidence.latest(session_id).facts]  # type: ignore[union-attr]
    assert f"the reviewer ada is waited for, who approved {approved[:7]}" in grounds
    _approve(stage, number)
    stage.until(session_id, SessionStatus.MERGED)
    assert stage.forge.merges == [(number, unseen)]


def test_an_approval_of_an_earlier_head_merges_where_the_project_lets_it_count(play: Play) -> None:
    rules = {"approved-and-green": {"action": ReactionAction.AUTO_MERGE}}
    play.settings["project"] = {"reactions": rules, "stale_approvals": StaleApprovals.COUNT}
    with play.opened() as stage:
        session_id = stage.working()
        number = _green(stage, session_id)
        stage.forge.checks(number, CheckState.PENDING)
        _approve(stage, number)
        head = stage.forge.push(stage.branch(session_id))
        stage.forge.checks(number, CheckState.PASSING)
        stage.until(session_id, SessionStatus.MERGED)
        assert stage.forge.merges == [(number, head)]


def test_a_base_that_was_changed_on_the_forge_is_not_merged_into(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    real = stage.forge.look
    monkeypatch.setattr(stage.forge, "look", lambda n: replace(real(n), base="release"))
    _approve(stage, number)
    eventually(lambda: len(_rung(stage, "its base is release, not main")) == 1)
    assert not stage.forge.merges


def test_a_conflict_at_the_merge_is_the_agents_to_settle_and_calls_nobody(stage: Stage) -> None:
    session_id = stage.working()
    number = _green(stage, session_id)
    real, conflicts = stage.forge.merge, ["app.py"]

    def quarrel(*words: Any, **more: Any) -> Merged:
        """Another merge into the same base comes first."""
        if conflicts:
            stage.forge.conflict(number, conflicts.pop())
        return real(*words, **more)

    stage.forge.merge = quarrel  # type: ignore[method-assign]
    _approve(stage, number)
    (message,) = eventually(lambda: stage.told(session_id, "merge-conflicts"))  # type: ignore[misc]
    stage.until(session_id, SessionStatus.MERGE_CONFLICTS)
    stage.look()
    assert "app.py" in message.text
    assert "reaction_escalated" not in stage.types(session_id)
    told = [notice for look in stage.notifiers.values() for notice in look.sent]
    assert [notice for notice in told if "can be merged" not in notice.message] == []
    stage.forge.merge = real  # type: ignore[method-assign]
    stage.forge.push(stage.branch(session_id))
    stage.forge.conflict(number)
    stage.forge.checks(number, CheckState.PASSING)
    _approve(stage, number)
    stage.until(session_id, SessionStatus.MERGED)
    assert "reaction_escalated" not in stage.types(session_id)
