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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ennio.config.model import AgentConfig
from ennio.model.facts import AgentSeen, ProcessSeen, Sighting
from ennio.plugins.agent.box import InputBox
from ennio.plugins.agent.flags import fault
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.words import checked, fits, plain
from ennio.plugins.runtime.interface import Key, View

_FEED = Path(__file__).with_name("feed.py")
_PLACE = r"(?m)^.*[>$#:❯›]\s*\Z"  # what most programs end their last line with when they wait for text
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "csh", "tcsh"})
_PLACEHOLDER = re.compile(r"\{(prompt|prompt_file|session|branch|base|model)\}")


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """What ``passthrough`` says; ``ready`` is a pattern of the screen of an interactive program at rest.

    ``pastes``: it takes a bracketed paste of several lines as one input; else each line would be one of its own.
    """

    argv: tuple[str, ...]
    resume_argv: tuple[str, ...]
    stdin: bool = False
    interactive: bool = False
    one_shot: bool = True
    ready: re.Pattern[str] = re.compile(_PLACE)
    pastes: bool = False

    @classmethod
    def of(cls, config: AgentConfig) -> CommandSettings:
        """The settings of a project. Raises ConfigError naming the key."""
        given = config.passthrough
        for key in given:
            if key not in _KEYS:
                raise fault(f"passthrough.{key}", f"is unknown to the command agent; it takes {', '.join(sorted(_KEYS))}")
        argv = _words(given, "argv", "run")
        if not argv:
            raise fault("passthrough", 'the command agent needs `argv: [program, ...]` or `run: "a line for sh"`')
        interactive = _flag(given, "interactive", default=False)
        return cls(
            argv=argv,
            resume_argv=_words(given, "resume_argv", "resume_run") or argv,
            stdin=_flag(given, "stdin", default=False),
            interactive=interactive,
            one_shot=_flag(given, "one_shot", default=not interactive),
            ready=_pattern(given),
            pastes=_lines(given) == "paste",
        )

    @property
    def carries(self) -> bool:
        """Whether the words reach the program by its start; an interactive one may want them typed."""
        line = " ".join(self.argv)
        return not self.interactive or self.stdin or "{prompt" in line or "ENNIO_PROMPT_FILE" in line


_KEYS = frozenset({"argv", "run", "resume_argv", "resume_run", "stdin", "interactive", "one_shot", "ready", "lines"})
_LINES = ("join", "paste")


class CommandAgent(ScreenAgent):
    """Any command line as an agent, made for one project's configuration."""

    name = "command"
    executable = "sh"
    hint = "any program of your own: agent_config.passthrough.argv"

    def __init__(self, config: AgentConfig) -> None:
        super().__init__(config)
        self.settings = CommandSettings.of(config)
        self.one_shot = self.settings.one_shot
        self.place = self.settings.ready
        self.executable = self.settings.argv[0]

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """The command with the prompt, the standing rules above it."""
        words = "\n\n".join(part for part in (context.system, checked(prompt)) if part)
        return self._command(context, self.settings.argv, context.directory / "prompt.txt", words, carries=self.settings.carries)

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The command for going on; a program without one runs again, with the message as its prompt.

        Without a message it gets its first prompt once more: such a program remembers nothing.
        """
        file = context.directory / ("prompt.txt" if message is None else "message.txt")
        words = file.read_text() if message is None and file.exists() else checked(message or "", "message")
        return self._command(context, self.settings.resume_argv, file, words, carries=message is not None and self.settings.carries)

    def observe(self, context: AgentContext, cursor: Mapping[str, str], process: ProcessSeen, screen: str | None, now: datetime) -> Reading:
        """As any agent of the screen; one that is given its words at the start has begun once it lives."""
        if process.sighting is Sighting.ALIVE and not self.settings.interactive:
            return Reading(AgentSeen(now, "process", ready=True), {})
        return super().observe(context, cursor, process, screen, now)

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...]:
        """See ``FileBacked.files``: there are none, its terminal is all."""
        return ()

    def is_ready_for_text(self, screen: str) -> bool:
        """Whether an interactive program shows the ``ready`` pattern; others are never typed to."""
        return self.settings.interactive and super().is_ready_for_text(screen)

    def input_box(self, view: View) -> InputBox | None:
        """The whole screen: where its place to type begins nobody knows; it is free while the screen is ``ready``."""
        if not self.settings.interactive:
            return None
        last = max((row for row, line in enumerate(view.lines) if line.strip()), default=0)
        rows = tuple(line.rstrip() for line in view.lines[: max(last, view.row if view.cursor else 0) + 1])
        typing = view.cursor and view.row == len(rows) - 1
        free = self.is_ready_for_text(view.text) and not (typing and self._is_begun(rows[-1]))
        return InputBox(rows, view.columns, view.text, typing, opens=self.settings.ready, free=free)

    def _is_begun(self, line: str) -> bool:
        """Whether words follow what ``ready`` matches in the cursor's line: a pattern need not say that it ends there."""
        opened = list(self.settings.ready.finditer(line))
        return bool(opened) and bool(line[opened[-1].end() :].strip())

    def clearing_keys(self, box: InputBox) -> tuple[Key, ...]:
        """Ctrl-U: in a line of a terminal it takes all of it."""
        return (Key.CLEAR,)

    def typed(self, text: str) -> str:
        """Its lines as one, unless the program takes several as one input."""
        words = plain(text)
        return words if self.settings.pastes else " ".join(line for line in words.replace("\t", " ").split("\n") if line.strip())

    def version(self) -> str | None:
        """What the program says of itself; a line for ``sh`` is there when ``sh`` is."""
        return "sh" if self.executable == "sh" else super().version()

    def _command(self, context: AgentContext, argv: tuple[str, ...], file: Path, words: str, *, carries: bool) -> CommandLine:
        values = {
            "prompt": words,
            "prompt_file": str(file),
            "session": context.session_id,
            "branch": context.branch,
            "base": context.base,
            "model": context.config.model or "",
        }
        filled = tuple(_PLACEHOLDER.sub(lambda found: values[found[1]], element) for element in argv)
        if not all(fits(element) for element in filled):
            raise fault("passthrough.argv", "the prompt is too long for a command line; use `{prompt_file}` or `stdin: true`")
        feed = (sys.executable, "-I", "-S", str(_FEED), str(file)) if self.settings.stdin else ()
        env = {"ENNIO_PROMPT_FILE": str(file), "ENNIO_BRANCH": context.branch, "ENNIO_BASE": context.base, "ENNIO_MODEL": values["model"]}
        return CommandLine(argv=(*feed, *filled), env=env, files={file: words}, carries=carries)


def _words(given: Mapping[str, Any], listed: str, line: str) -> tuple[str, ...]:
    argv, run = given.get(listed), given.get(line)
    if argv is not None and run is not None:
        raise fault(f"passthrough.{line}", f"and `{listed}` are given both; keep one")
    if run is not None:
        if not isinstance(run, str) or not run.strip():
            raise fault(f"passthrough.{line}", "must be a line for `sh`")
        return _safe(("sh", "-c", run), line)
    if argv is None:
        return ()
    if not isinstance(argv, list | tuple) or not argv or not all(isinstance(element, str | int | float) for element in argv):
        raise fault(f"passthrough.{listed}", "must be a list: the program and its arguments")
    return _safe(tuple(str(element) for element in argv), listed)


def _safe(argv: tuple[str, ...], key: str) -> tuple[str, ...]:
    script = _script(argv)
    found = _PLACEHOLDER.search(script)
    if found:
        variables = "`$ENNIO_PROMPT_FILE`, `$ENNIO_BRANCH`, `$ENNIO_BASE`, `$ENNIO_MODEL`"
        raise fault(f"passthrough.{key}", f"`{found[0]}` in a script for a shell would be run by it; use {variables}")
    return argv


def _script(argv: tuple[str, ...]) -> str:
    """What a shell in this command line is given to run by ``-c``, or nothing."""
    shells = [at for at, word in enumerate(argv) if Path(word).name in _SHELLS]
    after = argv[shells[0] + 1 :] if shells else ()
    option = next((at for at, word in enumerate(after) if re.fullmatch(r"-\w*c\w*|--command", word)), None)
    return next((word for word in after[option + 1 :] if not word.startswith("-")), "") if option is not None else ""


def _flag(given: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = given.get(key, default)
    if not isinstance(value, bool):
        raise fault(f"passthrough.{key}", f"must be true or false, not {value!r}")
    return value


def _lines(given: Mapping[str, Any]) -> str:
    value = given.get("lines", _LINES[0])
    if value not in _LINES:
        raise fault("passthrough.lines", f"must be one of {', '.join(_LINES)}, not {value!r}")
    return str(value)


def _pattern(given: Mapping[str, Any]) -> re.Pattern[str]:
    try:
        return re.compile(given.get("ready", _PLACE), re.MULTILINE)
    except (re.error, TypeError) as error:
        raise fault("passthrough.ready", f"is no regular expression: {error}") from error
