"""Performs the one action of a session that is due, beside the mailbox, so that a kill is never behind a ten-minute clone."""

from __future__ import annotations

from typing import Any, assert_never

import gevent

from ennio.actors import deeds
from ennio.actors.actor import Actor
from ennio.actors.courier import Aside
from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import BranchChosen, DraftTaken, MessageMarked
from ennio.actors.outbox import Outbox
from ennio.actors.record import Record
from ennio.model.facts import Sighting
from ennio.model.message import Message
from ennio.model.session import Session
from ennio.policy.lifecycle.actions import (
    Action,
    DeliverMessage,
    InspectWorkspace,
    LaunchAgent,
    MakeWorkspace,
    PrepareWorkspace,
    RemoveWorkspace,
    SettleMessage,
    StopAgent,
)

ASK_WITHIN = 30.0  # seconds


class Executor:
    """One action at a time. Its end comes to the actor as an ``Effect``; what must be written first is asked of the actor."""

    def __init__(self, actor: Actor, deps: Dependencies, record: Record, outbox: Outbox) -> None:
        self._actor = actor
        self._deps = deps
        self._record = record
        self._outbox = outbox
        self._greenlet: gevent.Greenlet | None = None
        self._doing: Action | None = None

    @property
    def busy(self) -> bool:
        """Whether an action is under way."""
        return self._greenlet is not None

    @property
    def doing(self) -> Action | None:
        """The action under way."""
        return self._doing

    def start(self, action: Action) -> None:
        """Begin with it."""
        deps, session = self._deps, self._record.session
        match action:
            case MakeWorkspace():
                self._note("workspace", "making the workspace")
                self._perform(action, lambda: deeds.make_workspace(deps, session, self._choose_branch))
            case PrepareWorkspace():
                self._note("prepare", "linking files and running post-create commands")
                self._perform(action, lambda: deeds.prepare_workspace(deps, session))
            case LaunchAgent():
                message = self._outbox.message(action.message) if action.message else None
                self._note("launch", f"starting {session.agent_name} (launch {action.number})")
                self._perform(action, lambda: self._launch(session, action, message))
            case StopAgent():
                launched = self._record.memory.launches > 0
                self._perform(action, lambda: deeds.stop(deps, session, launched=launched))
            case InspectWorkspace():
                self._perform(action, lambda: deeds.inspect(deps, session))
            case RemoveWorkspace():
                self._perform(action, lambda: deeds.remove(deps, session))
            case DeliverMessage(message_id):
                post = self._outbox.message(message_id)
                self._perform(action, lambda: deeds.deliver(deps, session, post, lambda: self._mark(message_id), self._aside()))
            case SettleMessage(message_id):
                post = self._outbox.message(message_id)
                process = self._record.facts.process
                alive = process is not None and process.sighting is Sighting.ALIVE
                self._perform(action, lambda: deeds.settle(deps, session, post, alive=alive))
            case _:
                assert_never(action)

    def ended(self, action: Action) -> bool:
        """Take note of an end; False when it is that of an action that was broken off."""
        if action is not self._doing:
            return False
        self._greenlet, self._doing = None, None
        return True

    def break_off(self) -> None:
        """Leave the action under way undone; every one can be."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        self._greenlet, self._doing = None, None

    def _perform(self, action: Action, deed: Any) -> None:
        self._doing = action
        self._greenlet = self._actor.perform(action, deed)

    def _note(self, step: str, words: str) -> None:
        """Tell how far it has got; the same step tried again is no news."""
        if not self._record.memory.failures:
            self._record.note_step(step, words)

    def _choose_branch(self, branch: str, title: str) -> Session:
        chosen: Any = self._actor.actor_ref.ask(BranchChosen(branch, title), timeout=ASK_WITHIN)
        return chosen  # type: ignore[no-any-return]

    def _mark(self, message_id: str) -> None:
        self._actor.actor_ref.ask(MessageMarked(message_id), timeout=ASK_WITHIN)

    def _aside(self) -> Aside:
        def keep(draft: str) -> None:
            self._actor.actor_ref.ask(DraftTaken(draft), timeout=ASK_WITHIN)

        return Aside(self._outbox.drafts.may_be_taken(self._deps.clock.now()), keep)

    def _launch(self, session: Session, action: LaunchAgent, message: Message | None) -> deeds.Launched:
        if message is not None:
            self._mark(message.id)
        return deeds.launch(self._deps, session, action, message)


NAMES: dict[type[Action], str] = {
    MakeWorkspace: "making the workspace",
    PrepareWorkspace: "preparing the workspace",
    LaunchAgent: "starting the agent",
    StopAgent: "ending the agent",
    InspectWorkspace: "looking at the workspace",
    RemoveWorkspace: "removing the workspace",
    DeliverMessage: "delivering a message",
    SettleMessage: "settling a message",
}
"""What each action is called when a person is told of it."""
