"""What reactions are given of a session, and what they see in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.config.fan_out import FanOut
from ennio.model.facts import Facts
from ennio.model.forecast import AnomalyLimit
from ennio.model.session import Session
from ennio.policy.fan_out import FullestMinute
from ennio.policy.lifecycle.parked import Parked
from ennio.policy.lifecycle.state import LastAnswer
from ennio.policy.reactions.anomaly import Anomaly
from ennio.policy.reactions.seen_item import SeenItem


@dataclass(frozen=True, slots=True)
class Situation:
    """One session as the reactions see it. ``merge_ready`` is the head that is
    approved, green and clean.

    ``launched_at`` is when the present launch of the agent was confirmed, None while there is none.
    ``resumed_at`` is when the machine last woke, or its clock was set: silence counts from there.
    ``parked``: a window of its agent's plan is used up; ``goes_on``: it goes on by itself after
    that. ``burned`` is what it used in the fullest minute of late, None where nobody knows, and
    ``limits`` what it may begin and burn. Beyond ``usual`` it is out of the ordinary. ``answered``
    is what its agent was answered last.
    """

    session: Session
    facts: Facts
    merge_ready: str = ""
    bots: tuple[str, ...] = ()
    launched_at: datetime | None = None
    resumed_at: datetime | None = None
    parked: Parked | None = None
    goes_on: bool = False
    burned: FullestMinute | None = None
    limits: FanOut = FanOut()
    usual: tuple[AnomalyLimit, ...] = ()
    answered: LastAnswer | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Whether a condition holds (None: it cannot be seen) and the items that were seen.

    Without items the episode itself is the item; items of a case that does not hold are passed
    over. ``wake_at`` is when time alone may make it hold. ``lasting`` is False for words that only
    have to be passed on: nothing is retried or escalated. ``round`` is the head that words were
    said of: new words on a new head are a new round of review. ``at_work``: what the agent was told
    last is on its way to it, or its turn goes on: what is new is a step on that way, and no try has
    failed yet; ``wake_at`` is then when that ends by time alone. ``patient``: whoever is given a
    time has all of it, also between turns. ``lingers``: it may come back at once and be the same
    trouble still; False where every time is news by itself. ``anomalies`` are what is out of the
    ordinary. ``tells``: a person is told of it, whatever else the rule does where it holds.
    ``asks``: what is told for the first time asks for, where the headline is about what was told
    before. ``anew_after``: what holds is another than what held then, although nobody saw that it
    did not hold meanwhile.
    """

    holds: bool | None
    headline: str
    items: tuple[SeenItem, ...] = ()
    wake_at: datetime | None = None
    lasting: bool = True
    round: str = ""
    lingers: bool = False
    at_work: bool = False
    patient: bool = False
    anomalies: tuple[Anomaly, ...] = ()
    tells: bool = False
    asks: str = ""
    anew_after: datetime | None = None


NOT_HERE = Case(False, "")
