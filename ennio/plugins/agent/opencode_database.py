"""OpenCode's database: one for all conversations of a person, read only, and what its rows mean.

    session   id, directory, parent_id, time_updated (milliseconds)
    message   id, session_id, time_updated, data: {role, time: {created, completed}, finish, error,
              cost, tokens, modelID}
    part      message_id, session_id, time_created, data: {type: "text", text} for the words of a
              prompt

An answer is one message, rewritten as it grows; its numbers are those of the last time. Questions
(permissions) are not written down before they are answered.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ennio.machine import at_place, single
from ennio.machine.at_place import DatabaseUnreadError
from ennio.machine.interface import FileState
from ennio.model.session import Activity
from ennio.model.usage import RequestUsage, Tokens
from ennio.plugins.agent.agent_state import MONEY, AgentState, count, date_of, moment
from ennio.plugins.agent.interface import AgentContext
from ennio.plugins.agent.opencode_billing import billing

_PATIENCE = 2.0
_NEWEST = (
    "SELECT id FROM session WHERE directory = ? AND parent_id IS NULL ORDER BY time_updated DESC "
    "LIMIT 1"
)
# a person may begin another conversation (/new), and those that a conversation began
# itself are paid for as well
_HERE = "SELECT id FROM session WHERE directory = ?1"
_FAMILY = f"{_HERE} UNION SELECT id FROM session WHERE parent_id IN ({_HERE})"  # noqa: S608 - all parts stand above
_NEWS = f"""SELECT id, session_id, time_updated, data FROM message
    WHERE session_id IN ({_FAMILY}) AND time_updated >= ?2 ORDER BY time_created, id"""  # noqa: S608
_WORDS = (
    f"SELECT data FROM part WHERE session_id IN ({_HERE} AND parent_id IS NULL) AND time_created "  # noqa: S608
    ">= ?2"
)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message as it stands now; ``own`` when it is of the present conversation."""

    id: str
    own: bool
    updated: int
    data: Mapping[str, Any]


def database(context: AgentContext) -> Path:
    """Where it is."""
    named = context.machine.environ.get("XDG_DATA_HOME")
    return Path(named or context.home / ".local/share") / "opencode" / "opencode.db"


def files(context: AgentContext) -> tuple[Path, ...]:
    """The database, and what was written to it last."""
    return (database(context), database(context).with_name("opencode.db-wal"))


def stamp(context: AgentContext) -> str:
    """Something that changes whenever the database does: a look that finds it
    unchanged opens nothing.
    """
    found = context.machine.stat(files(context), follow=True)
    return " ".join(f"{one.modified}:{one.size}" for one in found if isinstance(one, FileState))


def conversation(context: AgentContext) -> str | None:
    """The id of the newest conversation held in this workspace, or None. Raises
    DatabaseUnreadError.
    """
    rows = _ask(context, _NEWEST, str(context.workspace))
    return rows[0][0] if rows and isinstance(rows[0][0], str) else None


def news(context: AgentContext, since: int) -> list[MessageRow]:
    """The messages of all conversations in this workspace that changed since then
    (milliseconds). Raises
    DatabaseUnreadError.
    """
    present, rows = conversation(context), _ask(context, _NEWS, str(context.workspace), since)
    return [
        MessageRow(str(name), owner == present, int(updated), data)
        for name, owner, updated, text in rows
        for data in _objects(text)
    ]


def words(context: AgentContext, since: datetime) -> list[str]:
    """The words in its conversations since then. Raises
    DatabaseUnreadError.
    """
    parts = [
        part
        for (text,) in _ask(context, _WORDS, str(context.workspace), int(since.timestamp() * 1000))
        for part in _objects(text)
    ]
    return [str(part.get("text")) for part in parts if part.get("type") == "text"]


def apply(state: AgentState, row: MessageRow, accounts: Collection[str] = ()) -> Decimal | None:
    """Take in a message; the money it says it cost so far. ``accounts`` are the providers that the
    person is logged in to by one.
    """
    data = row.data
    if data.get("role") == "user":
        if row.own and (at := _time(data, "created")):
            state.prompts += 1
            state.report(Activity.ACTIVE, at)
        return None
    tokens = _mapping(data.get("tokens"))
    cache = _mapping(tokens.get("cache"))
    told = data.get("cost")
    cost = Decimal(str(told)) if isinstance(told, int | float) and 0 < told < MONEY else None
    provider = str(data.get("providerID") or "") or None
    state.add_usage(
        RequestUsage(
            id=row.id,
            at=date_of(_time(data, "created") or row.updated / 1000),
            tokens=Tokens(
                input=count(tokens.get("input")),
                output=count(tokens.get("output")) + count(tokens.get("reasoning")),
                cache_read=count(cache.get("read")),
                cache_write=count(cache.get("write")),
            ),
            model=str(data.get("modelID") or "") or None,
            provider=provider,
            cost_usd=cost,
            billing=billing(provider, cost, accounts),
        )
    )
    if row.own:
        _state(state, row)
    return cost


def _state(state: AgentState, row: MessageRow) -> None:
    data, completed = row.data, _time(row.data, "completed")
    finished = data.get("finish") not in (None, "tool-calls")
    if completed is not None and data.get("error"):
        error = _mapping(data["error"])
        told = _mapping(error.get("data")).get("message") or error.get("name")
        state.report(Activity.READY, completed, detail=str(told))
    elif finished or (completed is not None and data.get("finish") is None):
        # the model is through; that opencode is, too, it writes down seconds
        # later on a busy machine
        state.turns += completed is not None
        state.report(Activity.READY, row.updated / 1000 if completed is None else completed)
    else:
        # its tools were called; whether the turn goes on after a refused one is not written
        # down, the screen knows
        state.report(Activity.ACTIVE, _time(data, "created") or 0.0)


def _time(data: Mapping[str, Any], key: str) -> float | None:
    at = moment(_mapping(data.get("time")), key)
    return None if at is None else at / 1000


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(text: object) -> Iterator[Mapping[str, Any]]:
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        data = json.loads(text)  # type: ignore[arg-type]
        if isinstance(data, dict):
            yield data


def _ask(context: AgentContext, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
    file = database(context)
    try:
        if not single.exists(context.machine, file):
            return []
    except OSError as error:
        raise DatabaseUnreadError(f"{file} cannot be read ({error.strerror})") from error
    return at_place.rows(context.machine, file, query, values, _PATIENCE)
