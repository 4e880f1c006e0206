"""What the screen of an agent shows, in one word: at work, asking, in trouble, at rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ennio.model.facts import ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent.dialog_question import question_of
from ennio.plugins.agent.screen import ScreenAgent, tail


@dataclass(frozen=True, slots=True)
class ScreenState:
    """One look at a screen; ``question`` holds what it asks, or what the trouble is,
    ``choices`` how it can be answered.

    ``at``: when, if not just now.
    """

    activity: Activity
    question: str | None = None
    at: datetime | None = None
    choices: str = ""


def read_screen(
    agent: ScreenAgent, screen: str | None, trouble: re.Pattern[str], process: ProcessSeen
) -> ScreenState | None:
    """What the screen says, and the terminal's title where the screen alone does not tell.

    Where the title tells of work or a question, a screen at rest proves nothing: one of them is
    older, or the work does not look as it used to. For a screen that says nothing it stands with a
    question only, since a start looks like work.
    """
    found = screen_state(agent, screen, trouble)
    told = next(
        (activity for activity, title in agent.titles.items() if title.search(process.title)), None
    )
    if told is None or screen is None:
        return found
    if found is None:
        return ScreenState(told, at=process.at) if told is Activity.WAITING_INPUT else None
    return None if found.activity is Activity.READY else found


def screen_state(
    agent: ScreenAgent, screen: str | None, trouble: re.Pattern[str]
) -> ScreenState | None:
    """What the screen says, or None when it says nothing. A question outweighs trouble,
    trouble work, work rest.
    """
    offered = agent.offers(screen or "")
    screen = agent.bare(screen or "")
    end = tail(screen)
    if offered:
        return ScreenState(Activity.READY)
    if agent.dialog.search(end):
        return ScreenState(Activity.WAITING_INPUT, *question_of(screen))
    found = trouble.search(end)
    if found:
        return ScreenState(Activity.BLOCKED, found[0].strip())
    if agent.busy.search(end):
        return ScreenState(Activity.ACTIVE)
    return ScreenState(Activity.READY) if agent.place.search(end) else None
