"""The command agent: any program that takes a prompt.

``passthrough`` holds either ``argv`` (a list) or ``run`` (a line for ``sh``), and the options of
``CommandSettings``. The words lie in a file, ``$ENNIO_PROMPT_FILE``. In ``argv`` the element parts
``{prompt}`` and ``{prompt_file}`` are replaced within their one argument; in a script for a shell
they are refused, for the words would become a part of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, validates_schema

from ennio.config.fields import ConfigField, Json, SettingsSchema
from ennio.config.model import AgentConfig
from ennio.config.number_fields import BoolField
from ennio.config.plugin_settings import read
from ennio.config.text_fields import EnumField, StringField
from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.facts import AgentSeen, Presence, ProcessSeen
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.flags import fault
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.metering import MeteredByEnvironment
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.words import checked, fits, plain
from ennio.plugins.runtime.interface import Key, View

_FEED = Path(__file__).with_name("stdin_file.py")
_PLACE = (
    r"(?m)^.*[>$#:❯›]\s*\Z"  # what most programs end their last line with when they wait for text
)
_DEFAULT_READY = re.compile(_PLACE, re.MULTILINE)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "csh", "tcsh"})
_PLACEHOLDER = re.compile(r"\{(prompt|prompt_file|session|branch|base|model)\}")
_LARGEST = 64 << 20  # bytes of a prompt


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """What ``passthrough`` says; ``ready`` is a pattern of the screen of an
    interactive program at rest.

    ``pastes``: it takes a bracketed paste of several lines as one input; else each line
    would be one of its own. ``resumes``: it goes on with its conversation; else it remembers
    nothing.
    """

    argv: tuple[str, ...]
    resume_argv: tuple[str, ...]
    resumes: bool = False
    stdin: bool = False
    interactive: bool = False
    one_shot: bool = True
    ready: re.Pattern[str] = _DEFAULT_READY
    pastes: bool = False
    interrupt: Key = Key.ESCAPE

    @classmethod
    def of(cls, config: AgentConfig) -> CommandSettings:
        """The settings of a project. Raises ConfigError with everything that is wrong with them."""
        path = "agent_config.passthrough"
        return cls.of_values(read(CommandSchema, config.passthrough, "configuration", path))

    @classmethod
    def of_values(cls, given: Mapping[str, Any]) -> CommandSettings:
        """The settings, of values that were read."""
        argv = given.get("argv") or given["run"]
        resume = given.get("resume_argv") or given.get("resume_run")
        interactive = given.get("interactive", False)
        return cls(
            argv=argv,
            resume_argv=resume or argv,
            resumes=resume is not None,
            stdin=given.get("stdin", False),
            interactive=interactive,
            one_shot=given.get("one_shot", not interactive),
            ready=given.get("ready", _DEFAULT_READY),
            pastes=given.get("lines") is LineMode.PASTE,
            interrupt=_INTERRUPTS[given.get("interrupt", InterruptKey.ESCAPE)],
        )

    @property
    def carries(self) -> bool:
        """Whether the words reach the program by its start; an interactive
        one may want them typed.
        """
        line = " ".join(self.argv)
        return (
            not self.interactive or self.stdin or "{prompt" in line or "ENNIO_PROMPT_FILE" in line
        )


class LineMode(StrEnum):
    """What becomes of the lines of a text that is typed."""

    JOIN = "join"
    PASTE = "paste"


class InterruptKey(StrEnum):
    """What makes a program leave off what it is doing, and go on living."""

    ESCAPE = "escape"
    CTRL_C = "ctrl_c"


_INTERRUPTS = {InterruptKey.ESCAPE: Key.ESCAPE, InterruptKey.CTRL_C: Key.INTERRUPT}


class ArgvField(ConfigField[tuple[str, ...]]):
    """A program and its arguments."""

    kind = "list: the program and its arguments"

    def read(self, value: Any) -> tuple[str, ...]:
        """The words. Raises ValidationError, also for a script in which
        words of others would be run.
        """
        if (
            not isinstance(value, (list, tuple))
            or not value
            or not all(isinstance(element, (str, int, float)) for element in value)
        ):
            raise ValidationError("must be a list: the program and its arguments")
        return _safe(tuple(str(element) for element in value))

    def json(self) -> Json:
        """An array with something in it."""
        return {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1}


class ShellLineField(StringField):
    """A line for ``sh``."""

    kind = "a line for `sh`"

    def judged(self, text: str) -> tuple[str, ...]:
        """The words that run it."""
        return _safe(("sh", "-c", text))


class PatternField(StringField):
    """A regular expression, matched in each line of the screen."""

    kind = "regular expression"

    def judged(self, text: str) -> re.Pattern[str]:
        """The expression, ready to be used."""
        try:
            return re.compile(text, re.MULTILINE)
        except re.error as error:
            raise ValidationError(f"is no regular expression: {error}") from error


class CommandSchema(SettingsSchema):
    """``agent_config.passthrough`` of ``agent: command``."""

    makes = CommandSettings
    at_once = False
    argv = ArgvField("The program and its arguments: it or `run` is needed")
    run = ShellLineField("A line for `sh`, in place of `argv`", lines=True)
    resume_argv = ArgvField("The same, for going on", shown="`argv` again")
    resume_run = ShellLineField("A line for `sh`, for going on", lines=True, shown="`run` again")
    stdin = BoolField("Whether the prompt is given on standard input")
    interactive = BoolField("Whether it stays and is typed to")
    one_shot = BoolField("Whether it ends after its prompt", shown="the opposite of `interactive`")
    ready = PatternField(
        "What its screen shows when it can be typed to", shown="a last line that ends like a prompt"
    )
    lines = EnumField(
        "Whether lines of a message are joined, or typed as one bracketed paste",
        LineMode,
        shown="`join`",
    )
    interrupt = EnumField(
        "The key that makes it leave off what it is doing; Ctrl-C ends a program that does not "
        "catch it",
        InterruptKey,
        shown="`escape`",
    )

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        both = {
            line: [f"and `{listed}` are given both; keep one"]
            for listed, line in (("argv", "run"), ("resume_argv", "resume_run"))
            if listed in data and line in data
        }
        if both:
            raise ValidationError(both)

    @validates_schema
    def _runs(self, data: dict[str, Any], **_: Any) -> None:
        if "argv" not in data and "run" not in data:
            raise ValidationError(
                'the command agent needs `argv: [program, ...]` or `run: "a line for sh"`'
            )


class CommandAgent(MeteredByEnvironment, ScreenAgent):
    """Any command line as an agent, made for one project's configuration."""

    name = "command"
    executable = "sh"
    hint = "any program of your own: agent_config.passthrough.argv"

    def __init__(self, config: AgentConfig, settings: CommandSettings | None = None) -> None:
        super().__init__(config)
        self.settings = settings or CommandSettings.of(config)
        self.one_shot = self.settings.one_shot
        self.place = self.settings.ready
        self.interrupt_keys = (self.settings.interrupt,)
        self.executable = self.settings.argv[0]

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """The command with the prompt, the standing rules above it."""
        return self._command(
            context,
            self.settings.argv,
            context.directory / "prompt.txt",
            _under_rules(context, checked(prompt)),
            carries=self.settings.carries,
        )

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The command for going on; a program without one runs again, with the words as its prompt
        under the rules.
        """
        file = context.directory / ("prompt.txt" if message is None else "message.txt")
        words = (
            single.content(context.machine, file, _LARGEST).decode()
            if message is None and single.exists(context.machine, file)
            else checked(message or "", "message")
        )
        if message is not None and not self.settings.resumes:
            words = _under_rules(context, words)
        return self._command(
            context,
            self.settings.resume_argv,
            file,
            words,
            carries=message is not None and self.settings.carries,
        )

    def remembers(self, context: AgentContext) -> bool:
        """Whether it has a command for going on."""
        return self.settings.resumes

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """As any agent of the screen; one that is given its words at the start
        has begun once it lives.
        """
        if process.presence is Presence.ALIVE and not self.settings.interactive:
            return Reading(AgentSeen(now, "process", ready=True), {})
        reading = super().observe(context, cursor, process, screen, now)
        if reading.seen.ready or reading.seen.activity is not None:
            return reading
        return Reading(replace(reading.seen, detail=self._waited_for), reading.cursor)

    @property
    def _waited_for(self) -> str:
        """What its screen has to show, and where that is said."""
        key = "agent_config.passthrough.ready"
        if self.settings.ready is _DEFAULT_READY:
            return f"its last line does not end like a prompt (> $ # : ❯ ›); {key} says how it does"
        return f"its screen does not show what {key} matches, {self.settings.ready.pattern!r}"

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...]:
        """See ``FileBacked.files``: there are none, its terminal is all."""
        return ()

    def is_ready_for_text(self, screen: str) -> bool:
        """Whether an interactive program shows the ``ready`` pattern; others are never typed to."""
        return self.settings.interactive and super().is_ready_for_text(screen)

    def input_box(self, view: View) -> InputBox | None:
        """The whole screen: where its place to type begins nobody knows; it is free while
        the screen is ``ready``.
        """
        if not self.settings.interactive:
            return None
        last = max((row for row, line in enumerate(view.lines) if line.strip()), default=0)
        rows = tuple(
            line.rstrip() for line in view.lines[: max(last, view.row if view.cursor else 0) + 1]
        )
        typing = view.cursor and view.row == len(rows) - 1
        free = self.is_ready_for_text(view.text) and not (typing and self._is_begun(rows[-1]))
        return InputBox(rows, view.columns, view.text, typing, opens=self.settings.ready, free=free)

    def _is_begun(self, line: str) -> bool:
        """Whether words follow what ``ready`` matches in the cursor's line: a pattern need
        not say that it ends there.
        """
        opened = list(self.settings.ready.finditer(line))
        return bool(opened) and bool(line[opened[-1].end() :].strip())

    def clearing_keys(self, box: InputBox) -> tuple[Key, ...]:
        """Ctrl-U: in a line of a terminal it takes all of it."""
        return (Key.CLEAR,)

    def typed(self, text: str) -> str:
        """Its lines as one, unless the program takes several as one input."""
        words = plain(text)
        return (
            words
            if self.settings.pastes
            else " ".join(line for line in words.replace("\t", " ").split("\n") if line.strip())
        )

    def version(self) -> str | None:
        """What the program says of itself; a line for ``sh`` is there when ``sh`` is."""
        return "sh" if self.executable == "sh" else super().version()

    def _command(
        self, context: AgentContext, argv: tuple[str, ...], file: Path, words: str, *, carries: bool
    ) -> CommandLine:
        values = {
            "prompt": words,
            "prompt_file": str(file),
            "session": context.session_id,
            "branch": context.branch,
            "base": context.base,
            "model": context.config.model or "",
        }
        filled = tuple(
            _PLACEHOLDER.sub(lambda found: values[found[1]], element) for element in argv
        )
        if not all(fits(element) for element in filled):
            raise fault(
                "passthrough.argv",
                "the prompt is too long for a command line; use `{prompt_file}` or `stdin: true`",
            )
        feed = _feed(context.machine, file) if self.settings.stdin else ()
        env = {
            "ENNIO_PROMPT_FILE": str(file),
            "ENNIO_BRANCH": context.branch,
            "ENNIO_BASE": context.base,
            "ENNIO_MODEL": values["model"],
        }
        return CommandLine(argv=(*feed, *filled), env=env, files={file: words}, carries=carries)


def _under_rules(context: AgentContext, words: str) -> str:
    """The words as its prompt: the standing rules are above them."""
    return "\n\n".join(part for part in (context.system, words) if part)


def _feed(machine: Machine, file: Path) -> tuple[str, ...]:
    """What runs the words after it with a file as their standard input."""
    if machine.name:
        return ("sh", "-c", 'exec <"$1"; shift; exec "$@"', "ennio", str(file))
    return (sys.executable, "-I", "-S", str(_FEED), str(file))


def _safe(argv: tuple[str, ...]) -> tuple[str, ...]:
    found = _PLACEHOLDER.search(_script(argv))
    if found:
        variables = "`$ENNIO_PROMPT_FILE`, `$ENNIO_BRANCH`, `$ENNIO_BASE`, `$ENNIO_MODEL`"
        raise ValidationError(
            f"`{found[0]}` in a script for a shell would be run by it; use {variables}"
        )
    return argv


def _script(argv: tuple[str, ...]) -> str:
    """What a shell in this command line is given to run by ``-c``, or nothing."""
    shells = [at for at, word in enumerate(argv) if Path(word).name in _SHELLS]
    after = argv[shells[0] + 1 :] if shells else ()
    option = next(
        (at for at, word in enumerate(after) if re.fullmatch(r"-\w*c\w*|--command", word)), None
    )
    return (
        next((word for word in after[option + 1 :] if not word.startswith("-")), "")
        if option is not None
        else ""
    )
