"""Aider: ``aider`` in its terminal; its files stay out of the repository.

What it does stands in three files of the session's folder: its event log (starts and ends of a
request, tokens, money), its input history (the words it took, with their times), and the lines of
its notification command, which runs whenever it comes to wait for a person. Whether it then waits
for words or for an answer, only the screen tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ennio.machine import single
from ennio.model.answer import Answer
from ennio.model.errors import Unreachable
from ennio.model.facts import AgentSeen, ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent import aider_log, dialog_choices, flags, hook_script, jsonl
from ennio.plugins.agent.agent_state import AgentState, moment
from ennio.plugins.agent.box import InputBox, between
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.metering import MeteredByEnvironment
from ennio.plugins.agent.screen import ScreenAgent, tail
from ennio.plugins.agent.screen_state import ScreenState
from ennio.plugins.agent.words import as_words, checked, is_same_text, plain
from ennio.plugins.runtime.interface import Key, View

_QUIET = (
    "--no-check-update",
    "--no-show-model-warnings",
    "--no-show-release-notes",
    "--no-analytics",  # for this start; the stronger flag would write into the person's own files
    "--no-detect-urls",
    "--disable-playwright",
    *("--map-tokens", "0"),
    "--no-gitignore",  # else it asks for a line in the repository's .gitignore
    "--notifications",
)
RESERVED = (
    *(
        "message",
        "message-file",
        "model",
        "restore-chat-history",
        "chat-history-file",
        "input-history-file",
    ),
    *("analytics-log", "notifications", "notifications-command"),
)
_PLACE = re.compile(r"\A(?:[\w-]+ )*[\w-]*>\s*\Z")
_PROMPT = re.compile(r"(?:[\w-]+ )*[\w-]*>(?= |$)")
_LINE = r"(?:[\w-]+ )*[\w-]*> [^\n]*"
_FILES = re.compile(
    r"\s*\Z|Readonly: |Editable: |\s{2,}\S"
)  # the files of the chat, which stay above its prompt
_BEGUN = re.compile(
    rf"^─{{20,}}\n(?:[^\n>]*\n){{0,4}}{_LINE}(?:\n{_LINE})*\Z", re.MULTILINE
)  # below the line that ends a turn
_ASKS = re.compile(
    r"\(Y\)es/\(N\)o[^\n]*\]:[^\n]*\Z"
)  # also behind the words of an answer that is not entered yet
_OPTION = re.compile(r"\((\w)\)([\w' ]+)")


class Aider(MeteredByEnvironment, ScreenAgent):
    """The pair programmer. Words on its command line would end it after them, so they are typed."""

    name = "aider"
    executable = "aider"
    hint = "python -m pip install aider-install && aider-install"
    reports_activity = True
    tried: tuple[str, ...] = ("0.86.2",)
    interrupt_keys: tuple[Key, ...] = (Key.INTERRUPT,)  # it knows no Escape
    ends_at_rest = True  # pressed twice within two seconds
    passed_variables: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_API_BASE",
        "OPENAI_BASE_URL",
        "DEEPSEEK_API_KEY",
        "GEMINI_API_KEY",
        "OPENROUTER_API_KEY",
        "OLLAMA_API_BASE",
    )
    # only the last line asks: questions that were answered stay on the screen
    dialog = re.compile(r"\(Y\)es/\(N\)o[^\n]*\]:\s*\Z")
    busy = re.compile(r"Waiting for [^\n]+\Z")
    trouble = re.compile(
        r"Retrying in [\d.]+ seconds\.\.\.(?=\s*\Z|\s*\n[^\n]*Waiting for [^\n]*\Z)"
    )

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """A new conversation; the prompt is checked here and typed when aider is ready."""
        checked(prompt)
        return self._command(context, ())

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The same conversation, restored from its history since a person's last
        ``/clear``; the message is typed.
        """
        checked(message or "", "message")
        try:
            files = aider_log.cleared(context)
        except OSError as error:
            raise Unreachable(
                f"{aider_log.chat(context)} cannot be read ({error.strerror}); make it readable"
            ) from error
        command = self._command(context, ("--restore-chat-history",))
        return replace(command, files={**command.files, **files})

    def remembers(self, context: AgentContext) -> bool:
        """Whether it ever took words, and has the history that it restores."""
        try:
            return bool(aider_log.inputs(context)) and single.exists(
                context.machine, aider_log.chat(context)
            )
        except OSError as error:
            raise Unreachable(
                f"{aider_log.history(context)} cannot be read ({error.strerror}); make it readable"
            ) from error

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """Its event log first; the screen tells what it waits for."""
        state, on = AgentState.of(cursor.get("account")), dict(cursor)
        state.begin(process, now)
        state.model = context.config.model or state.model
        aider_log.apply_new(state, context, on, now)
        seen = self._shown(screen)
        if (
            seen is not None
        ):  # without a screen nobody knows yet what the notification was about: it waits
            self._notified(state, context, on, seen)
            state.question = seen.question  # it notifies of the first of several questions only
        state.update_screen(seen or _answered(state, screen), now)
        on["account"] = state.as_text()
        told = _with_cost(state, process, now, on)
        return Reading(told, on, state.until(process, now), tuple(state.requests))

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...]:
        """See ``FileBacked.files``: its event log and what its notifications wrote."""
        return (aider_log.events(context), _notices(context))

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether its input history has the words. The same words twice in a row are written there
        once: then its event log counts.
        """
        typed = self.typed(text)
        try:
            told = [
                (at, is_same_text(words, text, typed)) for at, words in aider_log.inputs(context)
            ]
            again = any(same for _, same in told[-1:]) and aider_log.sends(context, since)
        except OSError:
            return Answer.UNKNOWN
        return Answer.YES if again or any(same and at >= since for at, same in told) else Answer.NO

    def is_ready_for_text(self, screen: str) -> bool:
        """Whether the last line is aider's prompt (``>``, ``diff>``, ``ask>``
        ...) and nothing is asked.
        """
        return bool(_PLACE.search(tail(screen, 1)))

    def input_region(self, view: View) -> InputBox | None:
        """The rows around the cursor that begin with its prompt, as every
        line of a text does there.
        """
        prompt = _PROMPT.match(view.lines[view.row])
        if prompt is None or not view.cursor:
            return None
        first = last = view.row
        while first > 0 and _begins(view.lines[first - 1], prompt[0]):
            first -= 1
        while last + 1 < len(view.lines) and _begins(view.lines[last + 1], prompt[0]):
            last += 1
        # it shows no hints there, and draws some of a person's words (`#2`) in grey
        found = between(replace(view, strong=view.lines), first, last, f"{prompt[0]} ")
        if found is None:
            return None
        # a list of endings below is no part of it, and long texts scroll
        cut = all(_FILES.match(line) for line in view.lines[:first])
        rows = tuple(row.replace("^I", "\t") for row in found.rows)  # how it shows a tab
        return replace(
            found, rows=rows, around="\n".join((*view.lines[:first], prompt[0])), cut=cut
        )

    def typed(self, text: str) -> str:
        """Its first character must not open a command, a shell or a multi-line block."""
        words = plain(text)
        return f" {words}" if words.startswith("{") else as_words(words)

    def answer(self, screen: str, text: str) -> tuple[Key | str, ...]:
        """The first letter of what is meant among its options, and Enter."""
        if not self.dialog.search(tail(screen)):
            raise dialog_choices.nothing_asked()
        found = [(letter, letter + rest) for letter, rest in _OPTION.findall(tail(screen, 1))]
        options = [
            dialog_choices.DialogChoice(number, words) for number, (_, words) in enumerate(found, 1)
        ]
        meant = next(
            (letter for letter, _ in found if letter.casefold() == text.strip().casefold()), None
        )
        return (meant or found[dialog_choices.chosen(options, text).number - 1][0], Key.ENTER)

    def _shown(self, screen: str | None) -> ScreenState | None:
        end = tail(screen or "")
        if self.dialog.search(end):
            return ScreenState(Activity.WAITING_INPUT, _question(end))
        trouble = self.trouble.search(end)
        if trouble:
            return ScreenState(Activity.BLOCKED, trouble[0])
        if self.busy.search(end):
            return ScreenState(Activity.ACTIVE)
        # words that a person has begun do not make it work
        return (
            ScreenState(Activity.READY)
            if self.is_ready_for_text(end) or _BEGUN.search(end)
            else None
        )

    def _notified(
        self, state: AgentState, context: AgentContext, on: dict[str, str], seen: ScreenState
    ) -> None:
        """What its notification command wrote, which says that it waits, but not for what."""
        lines, offset = jsonl.read_on(context.machine, _notices(context), int(on.get("hooks", "0")))
        on["hooks"] = str(offset)
        if not lines or seen.activity not in (Activity.WAITING_INPUT, Activity.READY):
            return
        state.turns += seen.activity is Activity.READY
        state.report(seen.activity, max(moment(line, "t") or 0.0 for line in lines), seen.question)

    def _command(self, context: AgentContext, conversation: tuple[str, ...]) -> CommandLine:
        rules = context.directory / "system.md"
        machine, folder = context.machine, context.directory
        hook = hook_script.call(machine, folder)
        # what it streams it counts by guessing; a whole answer brings the provider's own count
        whole = (
            ()
            if {"stream", "no-stream", "no_stream"} & set(context.config.passthrough)
            else ("--no-stream",)
        )
        return CommandLine(
            argv=(
                self.executable,
                *_QUIET,
                *whole,
                *(
                    "--notifications-command",
                    f"""echo '{{"hook_event_name":"Waiting"}}' | {hook}""",
                ),
                *("--analytics-log", str(aider_log.events(context))),
                *("--chat-history-file", str(aider_log.chat(context))),
                *("--input-history-file", str(aider_log.history(context))),
                *conversation,
                *(("--read", str(rules)) if context.system else ()),
                *(("--model", context.config.model) if context.config.model else ()),
                *flags.of_permissions(context.config.permissions, None),
                *flags.of_passthrough(context.config.passthrough, RESERVED),
            ),
            env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            files={
                **({rules: context.system} if context.system else {}),
                **hook_script.files(machine, folder),
            },
        )


def _begins(line: str, prompt: str) -> bool:
    return line.rstrip() == prompt or line.startswith(f"{prompt} ")


def _answered(state: AgentState, screen: str | None) -> ScreenState | None:
    """That it works, where a question it had asked is the last line no more: what it asked for is
    being done, though nothing else shows.
    """
    end = tail(screen or "", 1)
    waited = (
        Activity.WAITING_INPUT in (state.reported, state.on_screen)
        and state.on_screen != Activity.READY
    )
    return ScreenState(Activity.ACTIVE) if waited and end and not _ASKS.search(end) else None


def _notices(context: AgentContext) -> Path:
    return context.directory / "hooks.jsonl"


def _question(end: str) -> str:
    """The line that asks, after what it asks about: a command, a file."""
    *above, asking = end.splitlines()
    about: list[str] = []
    for line in reversed(above[-3:]):
        if re.match(r"\s*(?:─{3,}|Tokens:|```|.*[>:]\s*$)", line) or "/(N)o" in line:
            break
        about.insert(0, line.strip())
    return " ".join((*about, asking.strip()))


def _with_cost(
    state: AgentState, process: ProcessSeen, now: datetime, on: Mapping[str, str]
) -> AgentSeen:
    seen = state.facts(process, now, "event log")
    cost = aider_log.cost(on)
    return (
        replace(seen, usage=replace(seen.usage, cost_usd=cost))
        if seen.usage is not None and cost
        else seen
    )
