"""Which of the verbs of a turn the supervisor would accept right now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ennio.model.facts import Presence
from ennio.model.session import Activity
from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle import parking, pausing
from ennio.policy.lifecycle.state import Desired, Phase, TurnGrant
from ennio.policy.turn_calls import unseen
from ennio.policy.turn_inputs import TurnInputs, TurnVerdict


def wants(inputs: TurnInputs, verdict: TurnVerdict) -> tuple[str, ...]:
    """The verbs of this turn that would be accepted, in order."""
    return tuple(verb for verb in verdict.match.verbs if ACCEPTED[verb](inputs))


def accepted(inputs: TurnInputs) -> tuple[str, ...]:
    """All verbs that would be accepted, whosever turn it is."""
    return tuple(verb for verb, accepts in ACCEPTED.items() if accepts(inputs))


def _living(inputs: TurnInputs) -> bool:
    """Not ended, and somebody is there to be told."""
    return not (inputs.over or inputs.rules.stray or inputs.unwatched)


def _terminal(inputs: TurnInputs) -> bool:
    """Whether a terminal stands that can be opened."""
    state, process = inputs.state, inputs.process
    if (
        inputs.rules.stray
        or inputs.session.runtime_handle is None
        or state.launches <= state.stopped
    ):
        return False
    gone = process is not None and process.presence is Presence.GONE
    # one that vanished without an exit code took its terminal along
    return not gone or process is None or (process.exit_code, process.signal) != (None, None)


def _runs(inputs: TurnInputs) -> bool:
    """Whether an agent is there that can be reached."""
    launched = inputs.state.phase is Phase.LAUNCHED and _terminal(inputs)
    seen = not inputs.state.signal_lost and inputs.state.activity is not Activity.EXITED
    return _living(inputs) and launched and seen


def _answer(inputs: TurnInputs) -> bool:
    asked = inputs.state.activity is Activity.WAITING_INPUT
    return _runs(inputs) and asked and not pausing.held(inputs.state)


def _restore(inputs: TurnInputs) -> bool:
    if inputs.rules.stray or inputs.over:
        return False
    return inputs.unwatched or inputs.session.status is S.EXITED or _stands_in_nothing(inputs)


def _stands_in_nothing(inputs: TurnInputs) -> bool:
    """Whether it lives and its working copy is gone, which is made again by a restore."""
    state, place = inputs.state, inputs.place
    lives = state.phase is Phase.LAUNCHED and state.desired is Desired.WATCH
    return lives and place is not None and not place.place.usable


def _kill(inputs: TurnInputs) -> bool:
    return not (inputs.over or inputs.unwatched)


def _go_on(inputs: TurnInputs) -> bool:
    pause = inputs.state.pause
    if pause is None or pause.grant is not TurnGrant.NONE or not _living(inputs):
        return False
    return pausing.in_turn(inputs.state) or pause.cut or inputs.waits


def _resume(inputs: TurnInputs) -> bool:
    return _living(inputs) and inputs.state.parked is not None and parking.is_held(inputs.state)


def _pull(inputs: TurnInputs) -> bool:
    """Whether its pull request can be acted upon just now."""
    return inputs.rules.forge and inputs.pull is not None and not inputs.state.forge_lost


def _verdict(inputs: TurnInputs) -> bool:
    """Whether it can be judged: a forge takes no verdict from whoever opened it."""
    return _pull(inputs) and inputs.pull is not None and not inputs.pull.own


def _rerun(inputs: TurnInputs) -> bool:
    pull = inputs.pull
    # a forge elsewhere runs again what has failed, and nothing else
    again = pull is not None and (bool(pull.failing) or inputs.rules.reviewed_here)
    return inputs.rules.reruns and _pull(inputs) and again


def _leave_queue(inputs: TurnInputs) -> bool:
    pull = inputs.pull
    return inputs.rules.withdraws and _pull(inputs) and pull is not None and pull.merging


def _cleanup(inputs: TurnInputs) -> bool:
    state, session = inputs.state, inputs.session
    kept = state.cleaned_at is None and session.archived_at is None and not state.clean_wanted
    return session.status.terminal and kept and not inputs.rules.stray


ACCEPTED: Mapping[str, Callable[[TurnInputs], bool]] = {
    "answer": _answer,
    "interrupt": _runs,
    "restore": _restore,
    "open": _terminal,
    "take-over": _terminal,
    "kill": _kill,
    "end": _kill,
    "raise": lambda inputs: inputs.state.pause is not None and pausing.held(inputs.state),
    "go-on": _go_on,
    "resume": _resume,
    "tell": _living,
    "seen": lambda inputs: bool(unseen(inputs)),
    "merge": _pull,
    "request-changes": _verdict,
    "approve": _verdict,
    "look": lambda inputs: not inputs.over,
    "release": lambda inputs: inputs.queued is not None and inputs.queued.held,
    "move": lambda inputs: inputs.queued is not None,
    "drop": lambda inputs: inputs.queued is not None,
    "rerun": _rerun,
    "nudge": lambda inputs: inputs.rules.reminds and _pull(inputs),
    "leave-queue": _leave_queue,
    "cleanup": _cleanup,
}
