"""The windows of agents' plans in words: how much is used, and when each begins anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ennio.board.quantities import moment
from ennio.board.table import clean

Document = Mapping[str, Any]


def window_lines(sessions: Iterable[Document], now: datetime) -> list[str]:
    """One line for each agent and account: what its sessions, all together, tell of its plan."""
    told: dict[tuple[str, str], dict[str, Document]] = {}
    for session in sessions:
        for window in _current(session, now):
            whose = (session.get("agent_name") or "", window.get("account") or "")
            known = told.setdefault(whose, {}).get(window["name"])
            if known is None or _rank(window) > _rank(known):
                told[whose][window["name"]] = window
    return [
        f"plan of {clean(agent)}{f' ({clean(account)})' if account else ''}: {_words(windows, now)}"
        for (agent, account), windows in sorted(told.items())
    ]


def fullest(sessions: Iterable[Document], now: datetime) -> str:
    """The window of all plans that is used up most; empty where nobody tells of one."""
    found = [
        (window.get("used_percent") or 0.0, str(session.get("agent_name") or ""), window)
        for session in sessions
        for window in _current(session, now)
    ]
    if not found:
        return ""
    _, agent, window = max(found, key=lambda one: (bool(one[2].get("refused_at")), one[0], one[1]))
    return f"{clean(agent)} {_window(window, now)}"


def windows_of(session: Document, now: datetime) -> str:
    """Those of one session; empty where it tells of none."""
    return _words({window["name"]: window for window in _current(session, now)}, now)


def _current(session: Document, now: datetime) -> list[Document]:
    """What is told of a window that has begun anew since is of the one before it."""
    return [
        window
        for window in session.get("windows") or ()
        if (until := moment(window.get("resets_at"))) is None or until > now
    ]


def _rank(window: Document) -> tuple[str, float]:
    """Of what two sessions tell of one window the later counts, and in it what is more."""
    return window.get("resets_at") or "", window.get("used_percent") or 0.0


def _words(windows: Mapping[str, Document], now: datetime) -> str:
    return ", ".join(_window(windows[name], now) for name in sorted(windows))


def _window(window: Document, now: datetime) -> str:
    used, until = window.get("used_percent"), moment(window.get("resets_at"))
    much = "used up" if window.get("refused_at") else "?" if used is None else f"{used:g}% used"
    return f"{clean(window['name'])} {much}{f', resets {_hour(until, now)}' if until else ''}"


def _hour(until: datetime, now: datetime) -> str:
    """On the reader's own clock; with the day where it is not today."""
    then = until.astimezone()
    return f"{then:%H:%M}" if then.date() == now.astimezone().date() else f"{then:%a %H:%M}"
