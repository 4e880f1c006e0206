"""Codex: ``codex`` in its terminal, without the daemon that would outlive it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ennio.machine.interface import Machine
from ennio.model.answer import Answer
from ennio.model.errors import Unreachable
from ennio.model.facts import ProcessSeen
from ennio.model.session import Activity
from ennio.model.usage import Billing
from ennio.plugins.agent import codex_helper_rollout, codex_rollout, flags, jsonl
from ennio.plugins.agent.agent_state import AgentState, moment
from ennio.plugins.agent.box import InputBox, between
from ennio.plugins.agent.codex_metering import MeteredCodex
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.last_words import QuotedCodex
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.screen_state import read_screen
from ennio.plugins.agent.words import as_words, checked, fits, is_same_text, plain, unpicked
from ennio.plugins.runtime.interface import View

_MARK = "›"
_HEARD_OF = 600.0
"""Seconds without a line after which an agent that it began counts as ended."""
_WORKS = re.compile(r"^\S .*\(\d+[^()]*esc to interrupt\)\s*\Z|Reconnecting\.\.\. \d")
RESERVED = ("no-daemon", "no-alt-screen", "model", "cd")


class Codex(MeteredCodex, QuotedCodex, ScreenAgent):
    """OpenAI's agent. It chooses the conversation's id itself; its rollout file
    for the workspace tells it.
    """

    name = "codex"
    executable = "codex"
    hint = "npm install -g @openai/codex"
    reports_activity = True
    tried: tuple[str, ...] = ("0.169.0",)
    passed_variables: tuple[str, ...] = (
        "OPENAI_API_KEY",
        "CODEX_API_KEY",
        "OPENAI_BASE_URL",
        "CODEX_HOME",
    )
    place = re.compile(r"^\s*›(?:\s|$)", re.MULTILINE)
    # a list with a choice marked and no place to type below it, or the words under a dialog
    dialog = re.compile(
        r"^\s*(?:›\s*\d+\.[^\n]*\n\s*\d+\.|\d+\.[^\n]*\n\s*›\s*\d+\.)(?![\s\S]*^\s*›(?:\s|$)(?!\s*\d+\.))"
        r"|(?:Press enter to (?:confirm|continue)|enter select)[^\n]*\s*\Z",
        re.MULTILINE | re.IGNORECASE,
    )
    busy = re.compile(r"esc to interrupt", re.IGNORECASE)
    titles: Mapping[Activity, re.Pattern[str]] = {
        Activity.WAITING_INPUT: re.compile(r"\A\[ . \] Action Required"),
        Activity.ACTIVE: re.compile(r"\A[\u2801-\u28ff] "),  # a spinner of braille dots
    }
    offer = re.compile(
        r"^\s*Approaching rate limits\n[^\n]*\n[›\s]*1\. Switch to [^\n]*\n"
        r"[›\s]*2\. Keep current model\b",
        re.MULTILINE,
    )
    trouble = re.compile(r"Reconnecting\.\.\. \d+/\d+(?:[^\n]*\n\s*└[^\n]*)?")

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """A new conversation."""
        return self._command(context, (), (), checked(prompt))

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The conversation in the workspace that was written to last; a new one
        when there never was any.
        """
        words = None if message is None else checked(message, "message")
        conversation = _conversation(context)
        return (
            self._command(context, ("resume",), (conversation,), words)
            if conversation
            else self._command(context, (), (), words)
        )

    def remembers(self, context: AgentContext) -> bool:
        """Whether there is a conversation in its workspace."""
        return _conversation(context) is not None

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """The rollout first, the screen as the second witness; dialogs
        stand on the screen alone.
        """
        state, on = AgentState.of(cursor.get("account")), dict(cursor)
        begins = state.begin(process, now)
        if begins:
            on.pop("above", None)
            on["begun"] = str(now.timestamp())
        try:
            self._find(context, on, now)
        except OSError as error:
            state.detail = f"its rollouts cannot be read: {error.strerror}"
        self._read(context.machine, state, on)
        self._read_helpers(context.machine, state, on, now)
        if begins:
            state.reported = (
                None  # a line does not say which process wrote it; the next look knows more
            )
        state.update_screen(read_screen(self, screen, self.trouble, process), now)
        on["account"] = state.as_text()
        return Reading(
            state.facts(process, now, "rollout"),
            on,
            state.until(process, now),
            tuple(state.requests),
        )

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...] | None:
        """See ``FileBacked.files``: its rollouts, and the folders in which another will appear."""
        if "rollouts" not in cursor:
            return None
        try:
            own, helpers = _rollouts(cursor), codex_helper_rollout.kept(cursor)
            return (*map(Path, own), *map(Path, helpers), *codex_rollout.folders(context))
        except OSError:
            return None

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether the rollout has the words."""
        typed = self.typed(text)
        try:
            file = codex_rollout.latest(context)
            told = [
                (moment(entry), codex_rollout.prompt_of(entry))
                for entry in (jsonl.ending(context.machine, file) if file else ())
            ]
        except OSError:
            return Answer.UNKNOWN
        earliest = since.timestamp() - 0.01
        taken = any(
            words is not None
            and at is not None
            and at >= earliest
            and is_same_text(words, text, typed)
            for at, words in told
        )
        return Answer.YES if taken else Answer.NO

    def input_region(self, view: View) -> InputBox | None:
        """The rows from its mark to the blank one above the foot; its cursor shows there, and
        in no list or transcript.
        """
        first = max(
            (row for row in range(view.row + 1) if view.strong[row].startswith(_MARK)), default=None
        )
        foot = _foot(view.lines)
        if first is None or foot is None or not view.cursor:
            return None
        last = foot - 1
        found = between(view, first, last, f"{_MARK} ")
        return found and replace(
            found,
            around="\n".join((*_work(view.lines[:first]), "", _MARK, *view.lines[last + 1 :])),
        )

    def bare(self, screen: str) -> str:
        """The screen without what was said, where it shows a place to type and its foot."""
        lines = screen.splitlines()
        first = max((row for row, line in enumerate(lines) if line.startswith(_MARK)), default=None)
        if first is None or _foot(lines) is None:
            return screen
        return "\n".join((*_work(lines[:first]), "", *lines[first:]))

    def typed(self, text: str) -> str:
        """Its first character must not open a shell or a command, its last word no list."""
        return unpicked(as_words(plain(text)), "@$")

    def _find(self, context: AgentContext, on: dict[str, str], now: datetime) -> None:
        """Note the conversations that have begun since the last look. Raises OSError."""
        stamp = codex_rollout.stamp(context, now)
        if not stamp or stamp != on.get("stamp") or "above" not in on:
            rollouts = _rollouts(on)
            new = codex_rollout.found(context, on.get("above", ""))
            on["above"] = new.above
            rollouts |= {str(file): {"offset": 0} for file in new.own if str(file) not in rollouts}
            on["rollouts"] = json.dumps(rollouts)
            helpers = codex_helper_rollout.begun(
                codex_helper_rollout.kept(on), map(str, new.helpers)
            )
            codex_helper_rollout.keep(on, helpers)
        on["stamp"] = stamp

    def _read_helpers(
        self, machine: Machine, state: AgentState, on: dict[str, str], now: datetime
    ) -> None:
        """Take in what the agents that it began use, and which of them are at work. One that wrote
        nothing for a while died with the process that it was in.
        """
        helpers = codex_helper_rollout.kept(on)
        since = max(now.timestamp() - _HEARD_OF, float(on.get("begun", "0")))
        if not helpers:
            return
        billing = Billing(state.billing or Billing.METERED)
        for name, helper in helpers.items():
            added, helper.offset = jsonl.read_on(machine, Path(name), helper.offset)
            state.requests += helper.take_in(added, Path(name).stem, billing)
        state.helpers = {name: "" for name, helper in helpers.items() if helper.works > since}
        codex_helper_rollout.keep(on, helpers)

    def _read(self, machine: Machine, state: AgentState, on: dict[str, str]) -> None:
        """Take in the new lines of its conversations; where to go on is written into the cursor."""
        rollouts = _rollouts(on)
        lines: list[tuple[Mapping[str, object], dict[str, int], str]] = []
        for name, sums in rollouts.items():
            added, sums["offset"] = jsonl.read_on(machine, Path(name), sums["offset"])
            lines += [(line, sums, Path(name).stem) for line in added]
        for line, sums, file in sorted(lines, key=lambda found: moment(found[0]) or 0.0):
            codex_rollout.apply(state, line, sums, file)
        state.input = sum(sums.get("input_tokens", 0) for sums in rollouts.values())
        state.output = sum(sums.get("output_tokens", 0) for sums in rollouts.values())
        if rollouts:
            on["rollouts"] = json.dumps(rollouts)
        else:
            on.pop("rollouts", None)

    def _command(
        self,
        context: AgentContext,
        verb: tuple[str, ...],
        conversation: tuple[str, ...],
        words: str | None,
    ) -> CommandLine:
        carries = words is not None and fits(self.typed(words))
        given = (self.typed(words),) if carries and words is not None else ()
        return CommandLine(
            argv=(
                self.executable,
                *verb,
                *("--no-daemon", "--no-alt-screen"),
                *("-c", f'projects={{{_toml(str(context.workspace))}={{trust_level="trusted"}}}}'),
                *(
                    ("-c", f"developer_instructions={_toml(context.system)}")
                    if context.system
                    else ()
                ),
                *(("--model", context.config.model) if context.config.model else ()),
                *flags.of_permissions(context.config.permissions, "--ask-for-approval"),
                *flags.of_passthrough(context.config.passthrough, RESERVED),
                *(("--", *conversation, *given) if conversation or given else ()),
            ),
            carries=carries,
        )


def _foot(lines: Sequence[str]) -> int | None:
    """The first of its last lines, which stand apart from all else and say what it runs with; None
    when it has no such foot.
    """
    rows = [row for row, line in enumerate(lines) if line.strip()]
    if not rows:
        return None
    row = rows[-1]
    while row - 1 in rows:
        row -= 1
    return row if " · " in lines[row] else None


def _work(lines: Sequence[str]) -> Sequence[str]:
    """The lines right above its place to type, which say what it is doing; what stands higher was
    said, and may look like anything.
    """
    end = max((row for row, line in enumerate(lines) if line.strip()), default=-1) + 1
    first = end
    while first > 0 and lines[first - 1].strip():
        first -= 1
    return lines[first:end] if any(map(_WORKS.search, lines[first:end])) else ()


def _conversation(context: AgentContext) -> str | None:
    """The one to go on with, or None. Raises Unreachable."""
    try:
        return rollout_id(context)
    except OSError as error:
        raise Unreachable(
            f"{codex_rollout.sessions(context)} cannot be read ({error.strerror}); make it readable"
        ) from error


def rollout_id(context: AgentContext) -> str | None:
    """The id of the conversation in this workspace that was written to last, or None."""
    file = codex_rollout.latest(context)
    return codex_rollout.conversation(context, file) if file is not None else None


def _rollouts(cursor: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Its rollouts by path: where to go on in each, and its sums."""
    return {name: dict(sums) for name, sums in json.loads(cursor.get("rollouts", "{}")).items()}


def _toml(text: str) -> str:
    # a JSON string is a TOML basic string but for DEL, which TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
