"""An agent that runs, and whose plugin cannot be made with the settings there are now: they were
written for another since it began, or its distribution is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ennio.model.answer import Answer
from ennio.model.errors import ConfigError, Refused
from ennio.model.facts import AgentSeen, ProcessSeen
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.runtime.interface import Key, View


class UnfitAgent:
    """See ``Agent``. Its process is looked after like any other; nothing is understood of what it
    shows, nothing typed, and it is not started again.
    """

    executable = hint = ""
    passed_variables: tuple[str, ...] = ()
    reports_activity = needs_screen = has_protocol = one_shot = False
    interrupt_keys: tuple[Key, ...] = ()

    def __init__(self, name: str, error: ConfigError) -> None:
        self.name = name
        problem = error.problems[0]
        where = f"{problem.path}: " if problem.path else ""
        cannot = f"the agent {name} cannot be had with the settings there are now"
        told = f"({where}{problem.message})"  # last, since lines are cut
        self._why = f"{cannot}: put back those it began with, and ennio reload {told}"
        self._never_began = f"{cannot}: correct them, and ennio reload {told}"

    def _refused(self) -> Refused:
        return Refused(self._why)

    def prepare(self, context: AgentContext) -> None:
        """Nothing: what follows is refused, and knows whether it ever began."""

    def forget(self, context: AgentContext) -> None:
        """Nothing is known to be left of it."""

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """Refused; it began with no settings that could be put back."""
        raise Refused(self._never_began)

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """Refused."""
        raise self._refused()

    def remembers(self, context: AgentContext) -> bool:
        """It is not resumed."""
        return True

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """It tells nothing that could be understood, and why."""
        return Reading(AgentSeen(now, "configuration", detail=self._why), cursor)

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Nobody can tell."""
        return Answer.UNKNOWN

    def is_ready_for_text(self, screen: str) -> bool:
        """Where it would type is not known."""
        return False

    def input_box(self, view: View) -> InputBox | None:
        """Where it would type is not known."""
        return None

    def input_region(self, view: View) -> InputBox | None:
        """Where it would type is not known."""
        return None

    def clearing_keys(self, box: InputBox) -> tuple[Key, ...]:
        """Nothing is typed."""
        return ()

    def typed(self, text: str) -> str:
        """Refused."""
        raise self._refused()

    def tell(self, context: AgentContext, screen: str, text: str) -> None:
        """Refused."""
        raise self._refused()

    def reply(self, context: AgentContext, screen: str, text: str) -> bool:
        """It has no protocol."""
        return False

    def answer(self, screen: str, text: str) -> tuple[Key | str, ...]:
        """Refused."""
        raise self._refused()

    def version(self) -> str | None:
        """Nobody can tell."""
        return None
