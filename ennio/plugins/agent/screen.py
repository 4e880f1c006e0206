"""Agents that are understood by their terminal alone: what they show tells
whether they can be spoken to.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from datetime import datetime

from ennio.config.model import AgentConfig
from ennio.model.answer import Answer
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent import dialog_choices
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.dialog_question import question_of
from ennio.plugins.agent.interface import AgentContext, Reading
from ennio.plugins.agent.keyboard_agent import KeyboardAgent
from ennio.plugins.runtime.interface import Key, View

_NOTHING = AgentConfig()


class ScreenAgent(KeyboardAgent):
    """What all agents share that do not say what they are doing; the rest is each one's own.

    ``tried`` are the versions it was tried with, as they stand in what its program says of itself.
    ``place`` matches a line to type in, ``dialog`` a question with choices, ``busy`` work going on.
    A dialog or work going on outweighs a place to type. ``titles`` match what it makes its
    terminal's title while it does that. ``words`` match a choice that takes words of one's own,
    ``offer`` a dialog that is none: see ``Offering``.
    """

    name = ""
    executable = ""
    hint = ""
    passed_variables: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    reports_activity = False
    needs_screen = True
    one_shot = False
    interrupt_keys: tuple[Key, ...] = (Key.ESCAPE,)
    place = re.compile(r"(?!)")
    dialog = re.compile(r"(?!)")
    busy = re.compile(r"(?!)")
    titles: Mapping[Activity, re.Pattern[str]] = {}
    words = re.compile(r"(?!)")
    offer = re.compile(r"(?!)")

    def __init__(self, config: AgentConfig = _NOTHING) -> None:
        self.config = config

    def prepare(self, context: AgentContext) -> None:
        """There is nothing to settle."""

    def forget(self, context: AgentContext) -> None:
        """There is nothing to undo."""

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """Whether it could be spoken to since its present start; what it does, it does not tell."""
        if process.presence is Presence.GONE:
            return Reading(AgentSeen(now, "process", activity=Activity.EXITED), {})
        start = str(process.pid)
        # once ready it stays ready: a prompt that was taken hides the place it was typed in
        if screen is not None and self.has_started(screen):
            return Reading(AgentSeen(now, "screen", ready=True), {"ready": start})
        known = cursor.get("ready") == start
        return Reading(AgentSeen(now, "screen", ready=known), dict(cursor) if known else {})

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """It does not tell."""
        return Answer.UNKNOWN

    def bare(self, screen: str) -> str:
        """The screen without what an agent shows beside the conversation."""
        return screen

    def has_started(self, screen: str) -> bool:
        """Whether the screen shows that it has started: it can be typed to, or works already."""
        return self.is_ready_for_text(screen) or bool(self.busy.search(tail(self.bare(screen))))

    def is_ready_for_text(self, screen: str) -> bool:
        """Whether the screen shows a place to type, and neither a question nor work going on."""
        end = tail(self.bare(screen))
        return (
            bool(self.place.search(end))
            and not self.dialog.search(end)
            and not self.busy.search(end)
        )

    def offers(self, screen: str) -> bool:
        """See ``Offering``."""
        end = tail(screen)
        return self.dialog.search(end) is not None and self.offer.search(end) is not None

    def input_box(self, view: View) -> InputBox | None:
        """Its region, where what is around it shows neither a question nor work going on."""
        found = self.input_region(view)
        return found if found is not None and self.is_ready_for_text(found.around) else None

    def asked(self, screen: str) -> str | None:
        """See ``ShowsQuestion``."""
        screen = self.bare(screen)
        if not self.dialog.search(tail(screen)):
            return None
        words, _, choices = question_of(screen)
        return words or choices

    def answer(self, screen: str, text: str) -> tuple[Key | str, ...]:
        """The way from the choice that is marked to the one that is meant, and Enter."""
        screen = self.bare(screen)
        found = dialog_choices.choices(tail(screen, 40)) if self.dialog.search(tail(screen)) else ()
        if not found:
            raise dialog_choices.nothing_asked()
        return dialog_choices.answer(found, text, self.words)

    def version(self) -> str | None:
        """What the executable says of itself, or None when it is not
        installed or does not answer.
        """
        return installed(self.executable)


def tail(screen: str, lines: int = 15) -> str:
    """The last lines with something in them: what stands above is the past."""
    return "\n".join([line.rstrip() for line in screen.splitlines() if line.strip()][-lines:])


def installed(executable: str, seconds: float = 10.0) -> str | None:
    """The first line of ``executable --version``, or None."""
    try:
        answer = subprocess.run(
            [executable, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.decode(errors="replace").strip().splitlines()
    return lines[0].strip() if answer.returncode == 0 and lines else None
