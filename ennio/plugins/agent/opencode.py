"""OpenCode: ``opencode`` in its terminal; its database tells what it does, its screen what it asks,
its API takes the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ennio.machine.at_place import LOOPBACK, DatabaseUnreadError
from ennio.model.answer import Answer
from ennio.model.errors import Unreachable
from ennio.model.facts import ProcessSeen
from ennio.model.session import Activity
from ennio.plugins.agent import flags, opencode_api, opencode_billing, opencode_database
from ennio.plugins.agent.agent_state import AgentState
from ennio.plugins.agent.interface import AgentContext, CommandLine, Reading
from ennio.plugins.agent.opencode_metering import MeteredOpenCode
from ennio.plugins.agent.screen import ScreenAgent, tail
from ennio.plugins.agent.screen_state import ScreenState, screen_state
from ennio.plugins.agent.words import FRAME, as_words, checked, fits, is_same_text, plain, unpicked
from ennio.plugins.runtime.interface import Key

RESERVED = ("prompt", "session", "continue", "model", "port", "hostname")
_PERMISSION = re.compile(
    r"Permission required(?P<about>[\s\S]*?)^[ ┃]*(?P<choices>Allow once[^\n]*Reject)", re.MULTILINE
)
_HOME = re.compile(
    r"^\s*┃\s+Ask anything", re.MULTILINE
)  # its first page, where no conversation is open
_LEAVES = ("exit", "quit", ":q")  # any of these as the whole prompt ends it
_OPEN, _OLD = 64, ""  # messages whose cost may still grow, and where the others are summed up
_TIDIES = timedelta(
    seconds=20
)  # for which its screen may show work when an answer was the last: it stores what changed
_SPREAD = 1000  # milliseconds; a message that was written while we looked is looked at again


class OpenCode(MeteredOpenCode, ScreenAgent):
    """The open-source agent. Keys typed while it starts are lost, so its
    words go on the command line.
    """

    name = "opencode"
    executable = "opencode"
    hint = "npm install -g opencode-ai"
    reports_activity = True
    listens = True
    has_protocol = True
    tried: tuple[str, ...] = ("1.18.33",)
    interrupt_keys: tuple[Key, ...] = (
        Key.ESCAPE,
        Key.ESCAPE,
    )  # the first only asks whether one is sure
    passed_variables: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "GEMINI_API_KEY",
        "GOOGLE_GENERATIVE_AI_API_KEY",
        "OPENROUTER_API_KEY",
        "OPENCODE_API_KEY",
        "OPENCODE_CONFIG",
    )
    place = re.compile(r"Ask anything|ctrl\+p commands|enter send", re.IGNORECASE)
    dialog = re.compile(r"Permission required|Allow once|Allow always", re.IGNORECASE)
    busy = re.compile(r"esc (?:to |again to )?interrupt", re.IGNORECASE)
    trouble = re.compile(r"[^\n┃]*\[retrying[^\n\]]*\]|[^\n┃]*retrying in [^\n]*", re.IGNORECASE)

    def prepare(self, context: AgentContext) -> None:
        """Choose a port and a password for its API."""
        opencode_api.save(context, opencode_api.server_for(context))

    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """A new conversation."""
        return self._command(context, None, checked(prompt))

    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The newest conversation held in the workspace; a new one when there never was any.

        ``--continue`` would not do: it takes the newest of the whole repository, another session's.
        """
        return self._command(
            context,
            _conversation(context),
            None if message is None else checked(message, "message"),
        )

    def remembers(self, context: AgentContext) -> bool:
        """Whether its database holds a conversation in its workspace."""
        return _conversation(context) is not None

    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """Its database first, when it has changed; the screen for what it asks
        and as the second witness.
        """
        state, on = AgentState.of(cursor.get("account")), dict(cursor)
        if state.begin(process, now) or "accounts" not in on:
            logins = opencode_database.database(context).with_name("auth.json")
            on["accounts"] = json.dumps(opencode_billing.accounts(context.machine, logins))
        stamp = opencode_database.stamp(context)
        if stamp != on.get("stamp"):
            try:
                self._read(state, context, on)
                on["stamp"] = stamp
            except DatabaseUnreadError as error:
                state.detail = f"its database could not be read: {error}"
        shown = self._shown(screen)
        tidies = _tidies(state, shown, now)
        state.update_screen(None if tidies else shown, now)
        on["account"] = state.as_text()
        seen = state.facts(process, now, "database")
        cost = sum(
            (Decimal(value) for value in json.loads(on.get("costs", "{}")).values()), Decimal(0)
        )
        usage = (
            replace(seen.usage, cost_usd=cost) if seen.usage is not None and cost else seen.usage
        )
        over = datetime.fromtimestamp(state.reported_at, UTC) + _TIDIES if tidies else None
        looks = [until for until in (state.until(process, now), over) if until is not None]
        until = min(looks, default=None) if on.get("stamp") == stamp else now
        return Reading(replace(seen, usage=usage), on, until, tuple(state.requests))

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...]:
        """See ``FileBacked.files``: its database, as long as that can be read."""
        return opencode_database.files(context)

    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether the database has the words."""
        typed = self.typed(text)
        try:
            told = opencode_database.words(context, since)
        except DatabaseUnreadError:
            return Answer.UNKNOWN
        return Answer.YES if any(is_same_text(words, text, typed) for words in told) else Answer.NO

    def typed(self, text: str) -> str:
        """What its command line carries is typed by itself, and so must open neither a shell
        nor a command, nor end it.
        """
        words = plain(text)
        bare = words.strip()
        framed = (
            f"{FRAME}{words}"
            if bare.startswith("/") or bare.casefold() in _LEAVES
            else as_words(words)
        )
        return unpicked(framed, "@")

    def tell(self, context: AgentContext, screen: str, text: str) -> None:
        """By its API: what stands in its place to type has nothing to do with it. Where a person
        left the conversation, another begins.
        """
        conversation = None if _HOME.search(screen) else _conversation(context)
        server, model = opencode_api.load_server(context), context.config.model
        opencode_api.tell(context.machine, server, conversation, text, model)

    def reply(self, context: AgentContext, screen: str, text: str) -> bool:
        """By its API, which takes the answer for one permission; what its keys would
        confirm shows in colours only.
        """
        server = opencode_api.load_server(context)
        return server is not None and opencode_api.reply(context.machine, server, screen, text)

    def _shown(self, screen: str | None) -> ScreenState | None:
        seen = screen_state(self, screen, self.trouble)
        asked = _PERMISSION.search(tail(screen or "", 40))
        if seen is None or asked is None:
            return seen
        about = " ".join(
            re.sub(r"\s{20,}\S.*$|[┃#]", "", line).strip() for line in asked["about"].splitlines()
        )
        choices = " / ".join(re.split(r"\s{2,}", asked["choices"].strip()))
        return replace(seen, question=f"Permission required: {' '.join(about.split())} [{choices}]")

    def _read(self, state: AgentState, context: AgentContext, on: dict[str, str]) -> None:
        """Take in what changed; where to go on and what each message cost are
        written into the cursor.
        """
        accounts = json.loads(on["accounts"])
        since, taken = int(on.get("since", "0")), json.loads(on.get("taken", "{}"))
        costs = {name: Decimal(value) for name, value in json.loads(on.get("costs", "{}")).items()}
        for row in opencode_database.news(context, since - _SPREAD):
            on["since"] = str(max(int(on.get("since", "0")), row.updated))
            if taken.get(row.id) == row.updated:
                continue
            taken[row.id] = row.updated
            cost = opencode_database.apply(state, row, accounts)
            if cost is not None:
                costs[row.id] = cost
        newest = int(on.get("since", "0")) - 2 * _SPREAD
        on["taken"] = json.dumps(
            {name: updated for name, updated in taken.items() if updated >= newest}
        )
        on["costs"] = json.dumps(_folded(costs))

    def _command(
        self, context: AgentContext, conversation: str | None, words: str | None
    ) -> CommandLine:
        rules, server = context.directory / "system.md", opencode_api.load_server(context)
        carries = words is not None and fits(self.typed(words))
        return CommandLine(
            argv=(
                self.executable,
                *(("--hostname", LOOPBACK, "--port", str(server.port)) if server else ()),
                *(("--session", conversation) if conversation else ()),
                *(("--model", context.config.model) if context.config.model else ()),
                *flags.of_permissions(context.config.permissions, None),
                *flags.of_passthrough(context.config.passthrough, RESERVED),
                # joined, for words may begin with a dash
                *((f"--prompt={self.typed(words)}",) if carries and words is not None else ()),
            ),
            env={
                "OPENCODE_DISABLE_AUTOUPDATE": "1",
                "OPENCODE_DISABLE_MODELS_FETCH": "1",
                "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
                **(
                    {
                        "OPENCODE_SERVER_USERNAME": opencode_api.USER,
                        "OPENCODE_SERVER_PASSWORD": server.password,
                    }
                    if server
                    else {}
                ),
                **(
                    {"OPENCODE_CONFIG_CONTENT": json.dumps({"instructions": [str(rules)]})}
                    if context.system
                    else {}
                ),
            },
            files={rules: context.system} if context.system else {},
            carries=carries,
        )


def _conversation(context: AgentContext) -> str | None:
    """The newest conversation; None when its file holds none. Raises Unreachable: one that cannot
    be read just then is not lost.
    """
    try:
        return opencode_database.conversation(context)
    except DatabaseUnreadError as error:
        if error.is_no_database:
            return None
        raise Unreachable(f"opencode's database cannot be read just now: {error}") from error


def _tidies(state: AgentState, shown: ScreenState | None, now: datetime) -> bool:
    """Whether the work its screen shows is its own after a turn; whoever gives it words begins
    another, and its database has them.
    """
    working = shown is not None and shown.activity is Activity.ACTIVE
    return (
        working
        and state.reported == Activity.READY
        and now.timestamp() - state.reported_at < _TIDIES.total_seconds()
    )


def _folded(costs: dict[str, Decimal]) -> dict[str, str]:
    """What each message cost; of the oldest, which do not grow any more, their sum."""
    old = [name for name in costs if name != _OLD][:-_OPEN]
    folded = sum((costs[name] for name in old), costs.get(_OLD, Decimal(0)))
    still = {name: str(cost) for name, cost in costs.items() if name not in (_OLD, *old)}
    return {_OLD: str(folded), **still} if folded else still
