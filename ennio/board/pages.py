"""What takes the whole screen: help, the palette of commands, events, why, money, a spawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ennio.board.help_text import help_lines
from ennio.board.panes import pane
from ennio.board.quantities import moment, money
from ennio.board.row import words
from ennio.board.table import clean, cut, pad
from ennio.board.verb_table import KEYS, BoardVerb
from ennio.board.view import BoardView

_BOARD_COMMANDS = (
    ("S", "spawn a session", "ennio spawn PROJECT -p ..."),
    ("/", "filter the rows", "ennio status PROJECT"),
    ("e", "all events", "ennio events -f"),
    ("$", "money", "ennio cost --by project"),
    ("b", "the same in a browser", "ennio dashboard"),
    ("d", "what it changes", "ennio diff ID"),
)
_TONES = {"action": "agent", "urgent": "you", "critical": "bad"}


def page_lines(view: BoardView, width: int, room: int) -> list[str]:
    """The lines of the page that is open."""
    if view.page == "why":
        return pane(replace(view, tab=view.tab or "why"), width, room)
    lines = {
        "help": help_lines,
        "palette": _palette,
        "events": _events,
        "spend": _spend,
        "spawn": _spawn,
    }[view.page](view, width)
    top = max(0, min(view.page_top, len(lines) - room))
    if view.page == "palette":
        top = max(0, min(max(0, view.page_top - room + 3), len(lines) - room))
    if view.page == "events":
        top = max(0, len(lines) - room - view.page_top)
    return lines[top : top + room]


def told_event(view: BoardView, event: object, width: int) -> str:
    """One event on one line: when, of whom, what."""
    if not isinstance(event, Mapping):
        return ""
    at = moment(event.get("timestamp"))
    when = f"{at.astimezone():%H:%M:%S}" if at else ""
    who = str(event.get("session_id") or event.get("project_id") or "")
    who = view.body.short.get(who, who[:10])
    kind = view.style.paint(
        _TONES.get(str(event.get("priority"))), pad(words(event.get("event_type")), 22)
    )
    before = f" {when}  {pad(words(who), 9)} "
    room = width - len(before) - 23
    if room < 10:
        return cut(f" {when} {words(event.get('message'))}", width)
    return f"{view.style.paint('muted', before)}{kind} {cut(words(event.get('message')), room)}"


def _events(view: BoardView, width: int) -> list[str]:
    if not view.events:
        return ["", " nothing has happened since the board was opened"]
    return [told_event(view, event, width) for event in view.events]


def commands(view: BoardView) -> list[tuple[str, str, str, BoardVerb | None]]:
    """Key, what it does, its command; for the session under the cursor those it wants first."""
    row = view.row
    found: list[tuple[str, str, str, BoardVerb | None]] = []
    if row is not None:
        names = [*row.wants, *(name for name in view.verbs.verbs if name not in row.wants)]
        for name in names:
            verb = view.verbs.get(name)
            if verb is not None:
                found.append((KEYS.get(name, ""), verb.label, verb.command(row), verb))
    found += [(key, label, line, None) for key, label, line in _BOARD_COMMANDS]
    asked = view.entry.text.lower().split() if view.entry is not None else []
    return [one for one in found if all(word in f"{one[1]} {one[2]}".lower() for word in asked)]


def _palette(view: BoardView, width: int) -> list[str]:
    row = view.row
    about = f" of {row.id}, those it wants first" if row is not None else ""
    lines = [view.style.paint("muted", cut(f" commands{about}", width)), ""]
    for at, (key, label, line, verb) in enumerate(commands(view)):
        chosen = at == view.page_top
        wanted = verb is None or (row is not None and verb.name in row.wants)
        text = f"{pad(key, 2)} {pad(label, 32)} {line}"
        mark = view.glyphs.cursor if chosen else " "
        tone = "strong" if chosen else None if wanted else "muted"
        lines.append(view.style.paint(tone, cut(f"{mark}{text}", width)))
    return lines


def _spend(view: BoardView, width: int) -> list[str]:
    lines = [view.style.paint("strong", " budgets, the most used first"), ""]
    limited = [told for told in view.header.budgets if told.get("limit") is not None]
    limited.sort(key=_share, reverse=True)
    wide = max((len(str(told.get("name"))) for told in limited), default=0)
    for told in limited:
        name = pad(words(told.get("name")), min(wide, max(12, width - 36)))
        lines.append(cut(f" {name} {_used(view, told)}", width))
    if not limited:
        lines.append(" no budget is set; ennio budget set --help tells how")
    lines += ["", view.style.paint("strong", " sessions that cost"), ""]
    costly = [row for row in view.rows.values() if row.cost]
    for row in sorted(costly, key=lambda one: -_amount(one.document)):
        lines.append(
            cut(f" {pad(row.id, 14)} {row.cost:>8}  {pad(row.word, 8)} {row.title}", width)
        )
    return lines


def _share(told: Mapping[str, Any]) -> float:
    return float(told.get("percent_used") or 0.0)


def _used(view: BoardView, told: Mapping[str, Any]) -> str:
    """How much of a budget is used; one that is for each of many has its limit alone."""
    limit = money(str(told["limit"]))
    if told.get("used") is None:
        return f"{'':>8}    {limit:>8}"
    used = money(str(told["used"]), int(told.get("unpriced_requests") or 0))
    return f"{used:>8} of {limit:>8} {_bar(view, _share(told))} {_share(told):.0f} %"


def _amount(told: Mapping[str, Any]) -> float:
    try:
        return float((told.get("cost") or {}).get("amount") or 0)
    except (TypeError, ValueError):
        return 0.0


def _bar(view: BoardView, percent: float, width: int = 10) -> str:
    full = max(0, min(width, round(percent / 100 * width)))
    return f"[{view.glyphs.line * full}{' ' * (width - full)}]"


def _spawn(view: BoardView, width: int) -> list[str]:
    head = view.style.paint("strong", cut(" this would be spawned (nothing is started yet)", width))
    return [head, "", *(cut(f" {clean(line)}", width) for line in view.page_lines)]
