"""An agent in memory: it says what it is told to say. For tests of whoever conducts agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ennio.model.answer import Answer
from ennio.model.errors import Refused
from ennio.model.facts import AgentSeen, ProcessSeen
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.keyboard_agent import KeyboardAgent
from ennio.plugins.agent.words import checked, same
from ennio.plugins.runtime.interface import Key, View


class StubAgent(KeyboardAgent):
    """Remembers what it was started with; ``says`` and ``took`` are the strings to pull.

    Its commands are real: they print the words they were given and end.
    """

    executable = "cat"
    hint = "part of ennio"
    needs_screen = False
    passed_variables: tuple[str, ...] = ()
    interrupt_keys: tuple[Key, ...] = (Key.ESCAPE,)

    def __init__(
        self,
        name: str = "stub",
        *,
        reports_activity: bool = True,
        one_shot: bool = False,
        carries: bool = True,
    ) -> None:
        self.name = name
        self.reports_activity = reports_activity
        self.one_shot = one_shot
        self.carries = carries
        self.typable = True
        self.choices: tuple[str, ...] = ()
        self.installed = True
        self.prepared: list[str] = []
        self.forgotten: list[str] = []
        self.launches: list[tuple[str, str]] = []
        self.resumes: list[tuple[str, str | None]] = []
        self._seen: dict[str, AgentSeen] = {}
        self._taken: dict[str, list[tuple[datetime, str]]] = {}
        self._deaf: set[str] = set()

    def says(self, session_id: str, at: datetime, **changes: Any) -> None:
        """From now on the session's agent tells this; fields that are
        left out stay as they were.
        """
        self._seen[session_id] = replace(
            self._seen.get(session_id, AgentSeen(at, "stub")), at=at, **changes
        )

    def took(self, session_id: str, at: datetime, text: str) -> None:
        """The session's agent took these words."""
        self._taken.setdefault(session_id, []).append((at, same(text)))

    def deaf(self, session_id: str) -> None:
        """From now on nobody can tell what this agent took."""
        self._deaf.add(session_id)

    def prepare(self, context: AgentContext) -> None:
        """Note it."""
        self.prepared.append(context.session_id)

    def forget(self, context: AgentContext) -> None:
        """Note it."""
        self.forgotten.append(context.session_id)

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """A command that prints the prompt."""
        self.launches.append((context.session_id, checked(prompt)))
        return self._command(context.directory / "prompt.txt", prompt)

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """A command that prints the message."""
        words = None if message is None else checked(message, "message")
        self.resumes.append((context.session_id, words))
        return self._command(context.directory / "message.txt", words)

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """What it was told to say."""
        seen = replace(self._seen.get(context.session_id, AgentSeen(now, "stub")), at=now)
        return Reading(seen, {"looks": str(int(cursor.get("looks", "0")) + 1)})

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether it was told that it took them."""
        if not self.reports_activity or context.session_id in self._deaf:
            return Answer.UNKNOWN
        taken = any(
            at >= since and words == same(text)
            for at, words in self._taken.get(context.session_id, ())
        )
        return Answer.YES if taken else Answer.NO

    def is_ready_for_text(self, screen: str) -> bool:
        """As ``typable`` says."""
        return self.typable

    def input_box(self, view: View) -> InputBox | None:
        """What stands behind the last mark on its screen, as long as it is ``typable``."""
        rows = tuple("\n".join(view.lines).rpartition("> ")[2].split("\n"))
        return InputBox(rows, view.columns, "> ") if self.typable else None

    def input_region(self, view: View) -> InputBox | None:
        """The same."""
        return self.input_box(view)

    def answer(self, screen: str, text: str) -> tuple[Key | str, ...]:
        """The words and Enter, when they are one of its ``choices``."""
        if text not in self.choices:
            raise Refused(
                f"{text!r} is no answer to the question; choose one of: {', '.join(self.choices)}"
            )
        return (text, Key.ENTER)

    def version(self) -> str | None:
        """A version, as long as it is ``installed``."""
        return "1.0 (stub)" if self.installed else None

    def _command(self, file: Path, words: str | None) -> CommandLine:
        return CommandLine(
            ("cat", str(file)),
            files={file: words or ""},
            carries=self.carries and words is not None,
        )
