"""The scripted agent: plays a story instead of asking a model, for demonstrations and tests.

``passthrough``: ``story`` (a file, or the turns themselves), ``speed`` (2 is twice as fast),
``typed`` (true: the first prompt is typed into its terminal too, instead of handed over in a file).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakSet

from marshmallow import ValidationError

from ennio import __version__
from ennio.config.fields import ConfigField, Json, SettingsSchema
from ennio.config.model import AgentConfig
from ennio.config.number_fields import BoolField, FactorField
from ennio.config.plugin_settings import read
from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.answer import Answer
from ennio.model.errors import ConfigError, Refused
from ennio.model.facts import ProcessSeen
from ennio.plugins.agent import dialog_choices
from ennio.plugins.agent.box import InputBox, between
from ennio.plugins.agent.flags import fault
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.keyboard_agent import KeyboardAgent
from ennio.plugins.agent.metering import MeteredByEnvironment
from ennio.plugins.agent.screen import tail
from ennio.plugins.agent.scripted import story, transcript
from ennio.plugins.agent.words import checked, is_same_text
from ennio.plugins.runtime.interface import Key, View

_PLAYER = Path(__file__).with_name("player.py")
_played_on = WeakSet[Machine]()
"""The machines where it was found."""
_NOTHING = AgentConfig()
_SOURCE, _PATH = "configuration", "agent_config.passthrough"


class StoryField(ConfigField[Any]):
    """A story: the turns themselves, or the file they are in."""

    kind = "path, or a list of turns"

    def read(self, value: Any) -> Any:
        """The path as it is written, or the turns as the player reads them."""
        if isinstance(value, str):
            return value
        try:
            return story.turns(value, "the story")
        except ConfigError as error:
            raise ValidationError(story.by_place(value, error.problems)) from None

    def json(self) -> Json:
        """A path, or what has turns."""
        return {"type": ["string", "array", "object"]}


class ScriptedSchema(SettingsSchema):
    """``agent_config.passthrough`` of ``agent: scripted``."""

    makes = AgentConfig
    at_once = False
    story = StoryField(
        "The story it plays; a path is relative to the configuration file",
        shown="a short one of its own",
    )
    speed = FactorField(
        "How many times as fast as it is told: 2 is twice as fast", 10**6, shown="`1`"
    )
    typed = BoolField(
        "Whether the first prompt is typed too, instead of handed over in a file", shown="`false`"
    )


class ScriptedAgent(MeteredByEnvironment, KeyboardAgent):
    """A friendly terminal program that tells honestly what it does; made for one
    project's configuration.
    """

    name = "scripted"
    executable = sys.executable
    executable_elsewhere = "python3"
    hint = "part of ennio: nothing to install"
    passed_variables: tuple[str, ...] = ()
    interrupt_keys: tuple[Key, ...] = (Key.ESCAPE,)
    reports_activity = True
    needs_screen = False
    one_shot = False

    def __init__(
        self,
        config: AgentConfig = _NOTHING,
        directory: Path | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        given = (
            read(ScriptedSchema, config.passthrough, _SOURCE, _PATH)
            if settings is None
            else settings
        )
        self._speed = given.get("speed", 1.0)
        self._typed = given.get("typed", False)
        self._turns = _turns(given.get("story"), directory)

    def prepare(self, context: AgentContext) -> None:
        """There is nothing to settle. Raises Refused on a machine where Ennio's own sources do not
        lie: the player is one of them.
        """
        machine = context.machine
        if not machine.name or machine in _played_on:
            return
        if not single.exists(machine, _PLAYER):
            raise Refused(
                f"the scripted agent plays from {_PLAYER}, which is not on {machine.name}: "
                "it is for demonstrations on this machine; choose another agent there"
            )
        _played_on.add(machine)

    def forget(self, context: AgentContext) -> None:
        """There is nothing to undo."""

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """The player with its story; the prompt lies in a file, unless it is to be typed."""
        return self._command(
            context, None if self._typed else context.directory / "prompt.txt", checked(prompt)
        )

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The player goes on where its transcript ends; no turn is played
        twice for the same prompt.
        """
        words = checked(message or "", "message")
        return self._command(
            context, None if message is None else context.directory / "message.txt", words
        )

    def remembers(self, context: AgentContext) -> bool:
        """Whether its transcript is there, by which the story goes on."""
        return single.exists(context.machine, _transcript(context))

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """What its transcript says."""
        state, on = transcript.go_on(context.machine, _transcript(context), cursor)
        return Reading(state.seen(process, now), on, requests=tuple(state.requests))

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...]:
        """See ``FileBacked.files``: its transcript."""
        return (_transcript(context),)

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether its transcript has the words."""
        typed = self.typed(text)
        earliest = since - timedelta(milliseconds=1)  # the transcript's times are rounded to that
        try:
            taken = any(
                at >= earliest and is_same_text(words, text, typed)
                for at, words in transcript.prompts(context.machine, _transcript(context))
            )
        except FileNotFoundError:
            return Answer.NO
        except OSError:
            return Answer.UNKNOWN
        return Answer.YES if taken else Answer.NO

    def is_ready_for_text(self, screen: str) -> bool:
        """Whether the last line is its place to type."""
        return tail(screen, 1).startswith(">")

    def input_box(self, view: View) -> InputBox | None:
        """The last line, which it draws anew with every key."""
        ready = self.is_ready_for_text(view.text) and view.lines[view.row].startswith(">")
        return between(view, view.row, view.row, "> ") if ready else None

    def input_region(self, view: View) -> InputBox | None:
        """The same."""
        return self.input_box(view)

    def answer(self, screen: str, text: str) -> tuple[Key | str, ...]:
        """The words, or the number of an option, and Enter: its questions take any words
        when they have no options.
        """
        shown = screen[screen.rfind("\n? ") + 1 :]
        if not shown.startswith("? "):
            raise dialog_choices.nothing_asked()
        found = dialog_choices.choices(shown)
        # an answer that was broken off may still stand there
        return (
            Key.CLEAR,
            str(dialog_choices.chosen(found, text).number) if found else checked(text, "answer"),
            Key.ENTER,
        )

    def version(self) -> str | None:
        """Ennio's own."""
        return __version__

    def _command(self, context: AgentContext, words: Path | None, text: str) -> CommandLine:
        play = context.directory / "story.json"
        names = {
            "session": context.session_id,
            "project": context.project_id,
            "branch": context.branch,
            "base": context.base,
        }
        content = json.dumps(
            {"turns": self._turns, "speed": self._speed, "names": names}, ensure_ascii=False
        )
        argv = (
            self.executable_elsewhere if context.machine.name else self.executable,
            "-I",
            "-S",
            str(_PLAYER),
            str(play),
            str(_transcript(context)),
            *((str(words),) if words else ()),
        )
        return CommandLine(
            argv=argv,
            files={play: content, **({words: text} if words else {})},
            carries=words is not None,
        )


def _transcript(context: AgentContext) -> Path:
    return context.directory / "transcript.jsonl"


def _turns(told: str | list[dict[str, Any]] | None, directory: Path | None) -> list[dict[str, Any]]:
    if told is None:
        return story.turns(story.DEFAULT, "the default story")
    if not isinstance(told, str):
        return told
    path = Path(told).expanduser()
    if not path.is_absolute() and directory is None:
        raise fault(
            "passthrough.story",
            f"{told!r} is relative to a file of another machine than the one that plays it: write "
            "the turns themselves in its place",
        )
    return story.read((directory or Path()) / path)
