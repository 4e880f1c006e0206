"""What the screen of an agent shows, in one word: at work, asking, in trouble, at rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ennio.facts import ProcessSeen
from ennio.model import Activity
from ennio.plugins.agent.screen import ScreenAgent, tail

_CHOICE = re.compile(r"^\s*[❯›>]?\s*\d+[.)]\s+\S")
_EDGE = re.compile(r"^\s*(?:─{10,}|[●•◦⎿❯›■✻✶✢✳])")
_NOISE = re.compile(r"^\s*(?:[╌─│╭╰┄ ]*|Tip:.*|Environment: local)$")
_ABOVE = 14


@dataclass(frozen=True, slots=True)
class Shown:
    """One look at a screen; ``question`` holds what it asks, or what the trouble is. ``at``: when, if not just now."""

    activity: Activity
    question: str | None = None
    at: datetime | None = None


def witnessed(agent: ScreenAgent, screen: str | None, trouble: re.Pattern[str], process: ProcessSeen) -> Shown | None:
    """What the screen says, and the terminal's title where the screen alone does not tell.

    Where the title tells of work or a question, a screen at rest proves nothing: one of them is older, or
    the work does not look as it used to. For a screen that says nothing it stands with a question only,
    since a start looks like work.
    """
    found = shown(agent, screen, trouble)
    told = next((activity for activity, title in agent.titles.items() if title.search(process.title)), None)
    if told is None or screen is None:
        return found
    if found is None:
        return Shown(told, at=process.at) if told is Activity.WAITING_INPUT else None
    return None if found.activity is Activity.READY else found


def shown(agent: ScreenAgent, screen: str | None, trouble: re.Pattern[str]) -> Shown | None:
    """What the screen says, or None when it says nothing. A question outweighs trouble, trouble work, work rest."""
    end = tail(screen or "")
    if agent.dialog.search(end):
        return Shown(Activity.WAITING_INPUT, question(screen or ""))
    found = trouble.search(end)
    if found:
        return Shown(Activity.BLOCKED, found[0].strip())
    if agent.busy.search(end):
        return Shown(Activity.ACTIVE)
    return Shown(Activity.READY) if agent.place.search(end) else None


def question(screen: str) -> str | None:
    """The words above the choices of a dialog, in one line, then the choices."""
    lines = [line.rstrip() for line in screen.splitlines() if line.strip()]
    numbered = [at for at, line in enumerate(lines) if _CHOICE.match(line)]
    if not numbered:
        return None
    first = numbered[-1]
    while first - 1 in numbered:
        first -= 1
    words: list[str] = []
    for line in reversed(lines[max(0, first - _ABOVE) : first]):
        if _EDGE.match(line):
            break
        if not _NOISE.match(line):
            words.insert(0, line.strip())
    choices = [re.sub(r"^[❯›>]\s*", "", lines[at].strip()) for at in range(first, numbered[-1] + 1)]
    return f"{' '.join(words)} [{' / '.join(choices)}]" if words else None
