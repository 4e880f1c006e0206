"""Claude Code: ``claude`` in its terminal, one conversation id over all its starts."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ennio.config.model import AgentConfig
from ennio.facts import ProcessSeen, Sighting
from ennio.model import Activity
from ennio.plugins.agent import claude_first, claude_story, claude_trust, flags, trail
from ennio.plugins.agent.account import Account, moment
from ennio.plugins.agent.dialog import witnessed
from ennio.plugins.agent.interface import Command, Desk, Reading
from ennio.plugins.agent.screen import ScreenAgent, clears
from ennio.plugins.agent.words import as_words, checked, fits
from ennio.plugins.runtime.interface import Key
from ennio.untrusted import json_file

_QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"}
_BYPASS = "--dangerously-skip-permissions"
_RESERVED = ("session-id", "resume", "continue", "settings", "append-system-prompt", "model", "permission-mode")
_HOOK = Path(__file__).with_name("hook.py")
_HOOKS, _COST = "hooks.jsonl", "cost.json"  # what hook.py writes into the session's folder
_LARGEST = 64 * 1024  # bytes of what the status line left
_SIDE = "*.jsonl"
_HOOK_LIMIT = 5  # seconds; a hook that hangs must not hold the agent up


class ClaudeCode(ScreenAgent):
    """Anthropic's agent. The environment it gets is ours: no ``CLAUDE*`` of a surrounding session is passed on.

    ``env`` is what the project adds to it.
    """

    name = "claude-code"
    executable = "claude"
    hint = "npm install -g @anthropic-ai/claude-code"
    tells = True
    tried: tuple[str, ...] = ("2.1.329",)
    passes: tuple[str, ...] = (
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
    place = re.compile(r"^\s*[│|]?\s*[❯>](?:\s|$)", re.MULTILINE)
    # a list with a choice marked and no place to type below it, or the words under a dialog
    dialog = re.compile(
        r"^\s*[│|]?\s*❯\s*\d+\.[^\n]*\n\s*[│|]?\s*\d+\.(?![\s\S]*^\s*[│|]?\s*[❯>](?:\s|$)(?!\s*\d+\.))"
        r"|(?:Enter to confirm|Esc to cancel)[^\n]*\s*\Z",
        re.MULTILINE,
    )
    busy = re.compile(r"esc to interrupt|^\s*[·✢✳✶✻✽*] \S+…", re.IGNORECASE | re.MULTILINE)
    titles: Mapping[Activity, re.Pattern[str]] = {Activity.ACTIVE: re.compile(r"\A[◐◑] ")}  # ✳ at rest, and when it asks
    trouble = re.compile(r"[^\n✢✳✶✻✽*]*retrying in [^\n]*attempt \d+/\d+")

    def __init__(self, config: AgentConfig | None = None, env: Mapping[str, str] | None = None) -> None:
        super().__init__(config or AgentConfig())
        self.env = env or {}

    def prepare(self, desk: Desk) -> None:
        """Settle trust in the workspace, which is always a folder it has not seen."""
        claude_trust.trust(_file(desk), desk.workspace, _note(desk))

    def forget(self, desk: Desk) -> None:
        """Take that trust back."""
        claude_trust.forget(_note(desk))

    def launch(self, desk: Desk, prompt: str) -> Command:
        """A new conversation under the desk's id."""
        return self._command(desk, ("--session-id", desk.conversation), checked(prompt))

    def resume(self, desk: Desk, message: str | None) -> Command:
        """The same conversation; the permissions are given again, for it forgets them.

        A conversation that never began cannot be resumed: it begins now, under the same id.
        """
        begun = transcript(desk) is not None
        words = None if message is None else checked(message, "message")
        return self._command(desk, ("--resume" if begun else "--session-id", desk.conversation), words)

    def observe(self, desk: Desk, cursor: Mapping[str, str], process: ProcessSeen, screen: str | None, now: datetime) -> Reading:
        """Hooks and transcript first, the screen as the second witness."""
        account, on = Account.of(cursor.get("account")), dict(cursor)
        account.begins(process, now)
        hooks, offset = trail.read_on(desk.directory / _HOOKS, _offset(cursor, "hooks"))
        on["hooks"] = str(offset)
        lines = self._transcripts(desk, on)
        for kind, entry in sorted([*(("hook", hook) for hook in hooks), *lines], key=_when):
            claude_story.take(account, kind, entry, process.number)
        account.metered(_cost(desk.directory / _COST))
        account.shows(witnessed(self, screen, self.trouble, process), now)
        on["account"] = account.as_text()
        return Reading(account.seen(process, now, "hooks"), on, account.until(process, now))

    def files(self, desk: Desk, cursor: Mapping[str, str]) -> tuple[Path, ...] | None:
        """See ``Filed.files``: hooks, money, and the transcripts of the conversation and of those it began itself."""
        if "transcript" not in cursor:
            return None
        file = Path(cursor["transcript"])
        return (desk.directory / _HOOKS, desk.directory / _COST, file, _sides(file), *sorted(_sides(file).glob(_SIDE)))

    def received(self, desk: Desk, text: str, since: datetime) -> Sighting:
        """Whether a hook or the transcript has the words."""
        try:
            told = [(moment(entry, "t"), entry.get("prompt")) for entry in trail.ending(desk.directory / _HOOKS)]
            file = transcript(desk)
            told += [(moment(entry), claude_story.prompt_of(entry)) for entry in (trail.ending(file) if file else ())]
        except OSError:
            return Sighting.UNKNOWN
        earliest = since.timestamp() - 0.01
        taken = any(isinstance(words, str) and at is not None and at >= earliest and claude_story.same(words, text) for at, words in told)
        return Sighting.ALIVE if taken else Sighting.GONE

    def clearing(self, screen: str) -> tuple[Key, ...]:
        """Ctrl-U for each line that stands there; an interrupted turn puts its prompt back."""
        return clears(screen, "❯")

    def typed(self, text: str) -> str:
        """Its first character must not open a shell, a command or a note."""
        return as_words(text)

    def _transcripts(self, desk: Desk, on: dict[str, str]) -> list[tuple[str, Mapping[str, object]]]:
        """New lines of the conversation and of those it began itself; where to go on is written into the cursor."""
        file = Path(on["transcript"]) if "transcript" in on else transcript(desk)
        if file is None:
            return []
        on["transcript"] = str(file)
        found: list[tuple[str, Mapping[str, object]]] = []
        for kind, single in (("line", file), *(("side", side) for side in sorted(_sides(file).glob(_SIDE)))):
            lines, offset = trail.read_on(single, _offset(on, single.name))
            on[single.name] = str(offset)
            found += [(kind, line) for line in lines]
        return found

    def _command(self, desk: Desk, conversation: tuple[str, ...], words: str | None) -> Command:
        settings = desk.directory / "claude-settings.json"
        carries = words is not None and fits(words)
        return Command(
            argv=(
                self.executable,
                *conversation,
                *("--settings", str(settings)),
                *(("--append-system-prompt", desk.system) if desk.system else ()),
                *(("--model", desk.config.model) if desk.config.model else ()),
                *self._permissions(desk),
                *flags.of_passthrough(desk.config.passthrough, _RESERVED),
                *(("--", as_words(words)) if carries and words is not None else ()),
            ),
            env={**_QUIET, **claude_first.environment(_file(desk), {**os.environ, **self.env})},
            files={settings: json.dumps(self._settings(desk))},
            carries=carries,
        )

    def _permissions(self, desk: Desk) -> tuple[str, ...]:
        return flags.of_permissions(desk.config.permissions, "--permission-mode")

    def _settings(self, desk: Desk) -> dict[str, object]:
        call = shlex.join([sys.executable, "-I", "-S", str(_HOOK), str(desk.directory)])
        hook = {"hooks": [{"type": "command", "command": call, "timeout": _HOOK_LIMIT}]}
        # whoever wrote the flag into the configuration has read the warning
        consent = {"skipDangerousModePermissionPrompt": True} if _BYPASS in self._permissions(desk) else {}
        meter = {"type": "command", "command": f"{call} status"}
        first = claude_first.settings(_file(desk), {**os.environ, **self.env})
        return {"hooks": {event: [hook] for event in claude_story.EVENTS}, "statusLine": meter, **consent, **first}


def transcript(desk: Desk) -> Path | None:
    """The file of the conversation, whatever the agent calls the folder of this workspace; None before it begins."""
    return next((_settings_home(desk, ".claude") / "projects").glob(f"*/{desk.conversation}.jsonl"), None)


def _sides(file: Path) -> Path:
    """Where the conversations lie that this one began itself."""
    return file.with_suffix("") / "subagents"


def _file(desk: Desk) -> Path:
    return _settings_home(desk) / ".claude.json"


def _note(desk: Desk) -> Path:
    return desk.directory / "claude-trust.json"


def _settings_home(desk: Desk, usual: str = "") -> Path:
    """Where it keeps its files: ``CLAUDE_CONFIG_DIR`` holds all, else they lie in the home and in ``~/.claude``."""
    configured = os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(configured).expanduser() if configured else desk.home / usual


def _cost(file: Path) -> object:
    try:
        return json_file(file, _LARGEST)["total"]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _offset(cursor: Mapping[str, str], name: str) -> int:
    text = cursor.get(name, "0")
    return int(text) if text.isdigit() else 0


def _when(line: tuple[str, Mapping[str, object]]) -> float:
    return moment(line[1], "t" if line[0] == "hook" else "timestamp") or 0.0
