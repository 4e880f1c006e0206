"""Claude Code: ``claude`` in its terminal, one conversation id over all its starts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ennio.config.model import AgentConfig
from ennio.machine.interface import Machine
from ennio.model.answer import Answer
from ennio.model.facts import ProcessSeen
from ennio.model.session import Activity
from ennio.model.usage import Billing
from ennio.plugins.agent import (
    claude_billing,
    claude_conversations,
    claude_cost,
    claude_first,
    claude_limits,
    claude_parser,
    claude_trust,
    flags,
    hook_script,
    jsonl,
)
from ennio.plugins.agent.agent_state import AgentState, moment
from ennio.plugins.agent.box import InputBox, between, left_of
from ennio.plugins.agent.claude_conversations import (
    HOOKS,
    Followed,
    present,
    resumable,
    settings_file,
    settings_home,
    sides,
    transcript,
    with_sides,
)
from ennio.plugins.agent.claude_cost import ClaudeCost
from ennio.plugins.agent.claude_metering import MeteredClaude, settings_of, trust_note
from ennio.plugins.agent.claude_panel import panel_edge
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.last_words import QuotedClaude
from ennio.plugins.agent.screen import ScreenAgent
from ennio.plugins.agent.screen_state import read_screen
from ennio.plugins.agent.words import FRAME, as_words, checked, fits, plain, unpicked
from ennio.plugins.runtime.interface import View

_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
}
_BYPASS = "--dangerously-skip-permissions"
RESERVED = (
    "session-id",
    "resume",
    "continue",
    "settings",
    "append-system-prompt",
    "model",
    "permission-mode",
)
_MARK, _RULE = "❯", "─" * 10
_WORK = tuple("·✢✳✶✻✽*")  # how the line begins that says what it is doing
_LEAVES = ("exit", "quit", ":q", ":q!", ":wq", ":wq!")  # any of these as the whole prompt ends it
_HOOK_LIMIT = 5  # seconds; a hook that hangs must not hold the agent up
# seconds in which it tells its count of money at least, where helpers work while it rests
_COUNTS_EVERY = 60
_UNDER_A_DIALOG = "(?:Enter to confirm|Esc to cancel)"


class ClaudeCode(MeteredClaude, QuotedClaude, ScreenAgent):
    """Anthropic's agent. The environment it gets is ours: no ``CLAUDE*`` of a
    surrounding session is passed on.

    ``env`` is what the project adds to it.
    """

    name = "claude-code"
    executable = "claude"
    hint = "npm install -g @anthropic-ai/claude-code"
    reports_activity = True
    tried: tuple[str, ...] = ("2.1.329",)
    passed_variables: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "ANTHROPIC_SMALL_FAST_MODEL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        "IS_SANDBOX",
    )
    # what stands above the words under a dialog is a choice, even where the dialog is over
    place = re.compile(rf"^\s*[│|]?\s*[❯>](?:\s|$)(?![\s\S]*^\s*{_UNDER_A_DIALOG})", re.MULTILINE)
    # a list with a choice marked and no place to type below it, or the words under a dialog
    dialog = re.compile(
        r"^\s*[│|]?\s*(?:❯\s*\d+\.[^\n]*\n\s*[│|]?\s*\d+\.|\d+\.[^\n]*\n\s*[│|]?\s*❯\s*\d+\.)"
        r"(?![\s\S]*^\s*[│|]?\s*[❯>](?:\s|$)(?!\s*\d+\.))"
        rf"|{_UNDER_A_DIALOG}[^\n]*\s*\Z",
        re.MULTILINE,
    )
    busy = re.compile(r"esc to interrupt|^\s*[·✢✳✶✻✽*] \S+…", re.IGNORECASE | re.MULTILINE)
    titles: Mapping[Activity, re.Pattern[str]] = {
        Activity.ACTIVE: re.compile(r"\A[◐◑] ")
    }  # ✳ at rest, and when it asks
    words = re.compile(r"Type something|Tell Claude what to change")
    offer = claude_limits.OFFER
    trouble = re.compile(r"[^\n✢✳✶✻✽*]*retrying in [^\n]*attempt \d+/\d+")

    def __init__(
        self, config: AgentConfig | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(config or AgentConfig())
        self.env = env or {}

    def prepare(self, context: AgentContext) -> None:
        """Settle trust in the workspace, which is always a folder it has not seen."""
        claude_trust.trust(
            context.machine, settings_file(context), context.workspace, trust_note(context)
        )

    def forget(self, context: AgentContext) -> None:
        """Take that trust back."""
        claude_trust.forget(context.machine, trust_note(context))

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """A new conversation under the session's id."""
        return self._command(context, ("--session-id", context.conversation), checked(prompt))

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The present conversation; the permissions are given again, for it forgets them.

        A conversation that never began cannot be resumed: it begins now, under the same id.
        """
        words = None if message is None else checked(message, "message")
        conversation, begun = resumable(context)
        return self._command(
            context, ("--resume" if begun else "--session-id", conversation), words
        )

    def remembers(self, context: AgentContext) -> bool:
        """Whether its own conversation is there; one that a person began (``/clear``) is new."""
        conversation, begun = resumable(context)
        return begun or conversation != context.conversation

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """Hooks and transcript first, the screen as the second witness."""
        state, on = AgentState.of(cursor.get("account")), dict(cursor)
        if state.begin(process, now) or "billing" not in on:
            on["billing"] = self._billing(context)
        money = ClaudeCost.of(cursor.get("money"))
        told = context.directory / HOOKS
        hooks, offset = hook_script.read_on(context.machine, told, _offset(cursor, "hooks"))
        on["hooks"] = str(offset)
        followed = Followed.of(cursor.get("conversations"), context).on(hooks)
        try:
            followed = followed.now(None if offset else claude_conversations.newest(context))
            self._find(context, on, followed)
        except OSError as error:
            state.detail = f"its transcripts cannot be read: {error.strerror}"
        lines = self._transcripts(context.machine, on, followed)
        counts, limits = claude_cost.read(context.machine, context.directory)
        claude_limits.tell(state.windows, limits)
        for kind, entry in sorted([*(("hook", hook) for hook in hooks), *lines], key=_when):
            claude_parser.apply(state, money, kind, entry, process.number, Billing(on["billing"]))
        state.cost = money.counted(counts)
        state.update_screen(read_screen(self, screen, self.trouble, process), now)
        on |= {
            "account": state.as_text(),
            "money": money.as_text(),
            "conversations": followed.as_text(),
        }
        return Reading(
            state.facts(process, now, "hooks"),
            on,
            state.until(process, now),
            tuple(state.requests),
            Billing(on["billing"]),
        )

    def _billing(self, context: AgentContext) -> Billing:
        credentials = settings_home(context, ".claude") / ".credentials.json"
        own = {**context.machine.environ, **self.env}
        return claude_billing.billing(context.machine, settings_file(context), credentials, own)

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...] | None:
        """See ``FileBacked.files``: hooks, money, and the transcripts of its conversations and of
        those they began themselves.
        """
        followed, known = Followed.of(cursor.get("conversations"), context), _transcripts(cursor)
        if followed.present not in known:
            return None
        beside = [] if _offset(cursor, "hooks") else [known[followed.present].parent]
        transcripts = [
            file
            for one in known.values()
            for file in (sides(one), *(path for _, path in with_sides(context.machine, one)))
        ]
        own = context.directory
        return own / HOOKS, own / claude_cost.FILE, *beside, *transcripts

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether a hook or the transcript has the words."""
        typed = self.typed(text)
        try:
            told = [
                (moment(entry, "t"), entry.get("prompt"))
                for entry in hook_script.ending(context.machine, context.directory / HOOKS)
            ]
            file = transcript(context, present(context))
            told += [
                (moment(entry), claude_parser.prompt_of(entry))
                for entry in (jsonl.ending(context.machine, file) if file else ())
            ]
        except OSError:
            return Answer.UNKNOWN
        earliest = since.timestamp() - 0.01
        late = (
            words
            for at, words in told
            if isinstance(words, str) and at is not None and at >= earliest
        )
        taken = any(claude_parser.is_same(words, typed) for words in late)
        return Answer.YES if taken else Answer.NO

    def bare(self, screen: str) -> str:
        """The screen without the panel of changes that it opens at the right in a wide terminal,
        and without what was said.
        """
        bar = panel_edge(screen)
        lines = [
            line[:bar].rstrip() if bar and line[bar : bar + 1] == "│" else line
            for line in screen.splitlines()
        ]
        rules = [row for row, line in enumerate(lines) if line.startswith(_RULE)][-2:]
        if len(rules) < 2 or not lines[rules[0] + 1].startswith(_MARK):
            return "\n".join(lines)
        return "\n".join((*_work(lines[: rules[0]]), *lines[rules[0] :]))

    def input_region(self, view: View) -> InputBox | None:
        """The rows between two rules from edge to edge, the first with its mark;
        text never touches the edge.
        """
        bar = panel_edge("\n".join(view.lines))
        view = view if bar is None else left_of(view, bar)
        rules = [row for row, line in enumerate(view.lines) if line.startswith(_RULE)]
        top = max((row for row in rules if row < view.row), default=None)
        bottom = min((row for row in rules if row > view.row), default=None)
        if top is None or bottom is None or not view.lines[top + 1].startswith(_MARK):
            return None
        found = between(view, top + 1, bottom - 1, f"{_MARK} ")
        around = (*_work(view.lines[:top]), view.lines[top], _MARK, *view.lines[bottom:])
        return found and replace(found, around="\n".join(around))

    def typed(self, text: str) -> str:
        """It acts on commands (also behind blanks) and on some words alone, goes on after a last
        backslash, and lists files.
        """
        words = plain(text)
        bare = words.strip()
        framed = (
            f"{FRAME}{words}"
            if bare.startswith("/") or bare.casefold() in _LEAVES
            else as_words(words)
        )
        return f"{framed} " if framed.endswith("\\") else unpicked(framed, "@")

    def _find(self, context: AgentContext, on: dict[str, str], followed: Followed) -> None:
        """Note where the conversations lie. Raises OSError."""
        known = _transcripts(on)
        known |= {
            name: file
            for name in followed.since
            if name not in known and (file := transcript(context, name)) is not None
        }
        on["transcripts"] = json.dumps({name: str(file) for name, file in known.items()})

    def _transcripts(
        self, machine: Machine, on: dict[str, str], followed: Followed
    ) -> list[tuple[str, Mapping[str, object]]]:
        """New lines of the conversations and of those they began themselves; where to go on is
        written into the cursor.
        """
        known = _transcripts(on)
        found: list[tuple[str, Mapping[str, object]]] = []
        for name, since in followed.since.items():
            for kind, file in with_sides(machine, known[name]) if name in known else ():
                found += [
                    (kind, line)
                    for line in self._lines(machine, on, file)
                    if not since or (moment(line) or 0.0) >= since
                ]
        return found

    def _lines(
        self, machine: Machine, on: dict[str, str], file: Path
    ) -> list[Mapping[str, object]]:
        """New lines of one file; of one that was written anew, those that are later
        than what was read of it.
        """
        before, key = _offset(on, file.name), f"{file.name}:last"
        lines, offset = jsonl.read_on(machine, file, before)
        if offset < before:
            last = float(on.get(key, "0"))
            lines = [line for line in lines if (moment(line) or 0.0) > last]
        on[file.name] = str(offset)
        if lines:
            on[key] = str(max(float(on.get(key, "0")), *(moment(line) or 0.0 for line in lines)))
        return list(lines)

    def _command(
        self, context: AgentContext, conversation: tuple[str, ...], words: str | None
    ) -> CommandLine:
        settings = settings_of(context)
        machine, own = context.machine, {**context.machine.environ, **self.env}
        first = claude_first.environment(machine, settings_file(context), own)
        carries = words is not None and fits(self.typed(words))
        return CommandLine(
            argv=(
                self.executable,
                *conversation,
                *("--settings", str(settings)),
                *(("--append-system-prompt", context.system) if context.system else ()),
                *(("--model", context.config.model) if context.config.model else ()),
                *self._permissions(context),
                *flags.of_passthrough(context.config.passthrough, RESERVED),
                *(("--", self.typed(words)) if carries and words is not None else ()),
            ),
            env={**_QUIET, **first},
            files=hook_script.files(machine, context.directory)
            | {settings: json.dumps(self._settings(context))},
            carries=carries,
        )

    def _permissions(self, context: AgentContext) -> tuple[str, ...]:
        return flags.of_permissions(context.config.permissions, "--permission-mode")

    def _settings(self, context: AgentContext) -> dict[str, object]:
        call = hook_script.call(context.machine, context.directory)
        hook = {"hooks": [{"type": "command", "command": call, "timeout": _HOOK_LIMIT}]}
        # whoever wrote the flag into the configuration has read the warning
        bypass = _BYPASS in self._permissions(context)
        consent = {"skipDangerousModePermissionPrompt": True} if bypass else {}
        meter = {"type": "command", "command": f"{call} status", "refreshInterval": _COUNTS_EVERY}
        own = {**context.machine.environ, **self.env}
        first = claude_first.settings(context.machine, settings_file(context), own)
        return {
            "hooks": {event: [hook] for event in claude_parser.EVENTS},
            "statusLine": meter,
            **claude_limits.SETTINGS,
            **consent,
            **first,
        }


def _transcripts(cursor: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(file) for name, file in json.loads(cursor.get("transcripts", "{}")).items()}


def _work(lines: Sequence[str]) -> list[str]:
    """The lines that say at the edge what it is doing; all others above its place to type were
    said, and may look like anything.
    """
    return [line for line in lines if line.startswith(_WORK)][-2:]


def _offset(cursor: Mapping[str, str], name: str) -> int:
    text = cursor.get(name, "0")
    return int(text) if text.isdigit() else 0


def _when(line: tuple[str, Mapping[str, object]]) -> float:
    return moment(line[1], "t" if line[0] == "hook" else "timestamp") or 0.0
