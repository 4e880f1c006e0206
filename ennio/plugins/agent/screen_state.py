"""What the screen of an agent shows, in one word: at work, asking, in trouble, at rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ennio.model.facts import ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent import dialog_choices
from ennio.plugins.agent.screen import ScreenAgent, tail

_EDGE = re.compile(r"^(?:[●•◦■✻✶✢✳]|\s*(?:─{10,}|[⎿❯›]))")
_NOISE = re.compile(r"^\s*(?:[╌─│╭╰┄▔ ]*|Tip:.*|Environment: local|[← ]*[☐☒☑].*)$")
_ABOVE = 14


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


def question_of(screen: str) -> tuple[str | None, None, str]:
    """The words above the choices of a dialog, in one line, with the choices behind
    them; and the choices alone.
    """
    found = dialog_choices.choices(screen)
    told = f"[{' / '.join(str(choice) for choice in found if choice.number)}]" if found else ""
    words = _above(screen.splitlines()[: found[0].at]) if found else ""
    return (f"{words} {told}" if words else None), None, told


def _above(lines: Sequence[str]) -> str:
    words: list[str] = []
    for line in reversed([line.rstrip() for line in lines if line.strip()][-_ABOVE:]):
        if _EDGE.match(line):
            break
        if not _NOISE.match(line):
            words.insert(0, line.strip())
    return " ".join(words)
