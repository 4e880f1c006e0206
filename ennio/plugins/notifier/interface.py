"""The notifier slot: how a person is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from ennio.model.failpoints import failpoint
from ennio.model.session import Priority


@dataclass(frozen=True, slots=True)
class NotificationAction:
    """Something a person can do about it: the words of a button, a name for
    programs, and where it leads.
    """

    label: str
    action: str
    url: str


@dataclass(frozen=True, slots=True)
class NotificationAnswer:
    """An answer that a person can give at once: the words of a button, and the link that gives it.

    Whoever posts ``{"link": ...}`` to ``url`` as JSON has answered; so it is a secret.
    """

    label: str
    url: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notification:
    """Something a person should know. ``id`` is the same when it is sent again after doubt.

    ``title`` is what it is about in a few words, ``actions`` are links, the first to the session
    itself, and ``reaction`` is the key it was routed by. ``answers`` are there only for a channel
    that takes them.
    """

    id: str
    event_type: str
    priority: Priority
    session_id: str
    project_id: str
    message: str
    timestamp: datetime
    title: str = ""
    actions: tuple[NotificationAction, ...] = ()
    reaction: str | None = None
    answers: tuple[NotificationAnswer, ...] = ()

    @property
    def url(self) -> str | None:
        """Where it leads first, or None."""
        return self.actions[0].url if self.actions else None


class Notifier(Protocol):
    """One channel to a person. A channel of somebody's own may have ``notify`` alone."""

    name: str

    @failpoint("notifier.notify")
    def notify(self, notification: Notification) -> str | None:
        """Tell it; the answer is what is needed to find it again, if anything.

        Blocks for a few seconds at most. Raises Unreachable (try again, not before its ``until``)
        or Refused (the channel does not want it). Neither shows an address: it may be a secret.
        """
        ...

    def probe(self) -> str:
        """How it is found to be, in words, without telling anybody anything.

        Raises Unreachable or Refused, with what mends it.
        """
        ...


class AnsweringNotifier(Notifier, Protocol):
    """A channel whose notices may carry answers."""

    takes_answers: bool
    """True where only those can read it who may answer."""


@runtime_checkable
class RevocableNotifier(Protocol):
    """A channel that can take back what it told."""

    @failpoint("notifier.withdraw")
    def withdraw(self, notification: Notification, receipt: str | None) -> None:
        """Take back what was told, for its cause is gone; fine when nothing is there any more.

        May be asked for twice. Raises like ``notify``.
        """
        ...
