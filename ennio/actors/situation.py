"""One session as the reactions see it."""

from __future__ import annotations

from ennio.config.model import Project
from ennio.model.facts import Facts
from ennio.model.session import Session
from ennio.policy.fan_out import FullestMinute
from ennio.policy.lifecycle import LifecycleState
from ennio.policy.reactions import Situation


def situation_of(
    project: Project,
    session: Session,
    memory: LifecycleState,
    facts: Facts,
    burned: FullestMinute | None = None,
) -> Situation:
    """What there is to decide about; ``burned`` None: nobody has counted yet."""
    return Situation(
        session,
        facts,
        memory.merge_ready,
        project.bots,
        memory.running_since,
        parked=memory.parked,
        goes_on=project.resume_at_reset,
        burned=burned,
        limits=project.fan_out,
        answered=memory.answered,
    )
