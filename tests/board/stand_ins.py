"""Sessions as the API tells them, and the table of verbs: what boards are made of in tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ennio.board.glyphs import ASCII, UNICODE
from ennio.board.news import Happened, Headed, Linked, Looked, Rows, Unlinked, Verbs
from ennio.board.row import Row
from ennio.board.style import PLAIN, Style
from ennio.board.verb_table import VerbTable
from ennio.board.view import BoardView, Header, Peek
from ennio.model.verbs import SESSION_VERBS

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
VERBS: Sequence[dict[str, Any]] = [asdict(verb) for verb in SESSION_VERBS]
_PROJECTS = ("my-app", "api", "web")
_CASES: Sequence[dict[str, Any]] = [
    {
        "title": "Rate-limit the login form",
        "turn": "you",
        "word": "asks",
        "rule": "2",
        "turn_why": "Run npm install?",
        "question": "Run npm install?",
        "options": ["yes", "yes, always", "no"],
        "activity": "waiting_input",
        "wants": ["answer", "interrupt"],
        "minutes": 2,
        "cost": {"amount": "0.84", "source": "provider", "billing": "metered"},
        "diff": {"added": 214, "removed": 31, "files": 6},
    },
    {
        "title": "Fix the flaky date test in CI",
        "turn": "you",
        "word": "merge",
        "rule": "6",
        "turn_why": "approved, 9 checks pass",
        "activity": "ready",
        "pr_number": 41,
        "checks": {"passing": 9, "failing": 0, "pending": 0},
        "review": "approved",
        "wants": ["merge", "request-changes"],
        "minutes": 11,
        "cost": {"amount": "1.02", "source": "provider", "billing": "metered"},
    },
    {
        "title": "Add an export button",
        "turn": "agent",
        "word": "fixes",
        "rule": "11",
        "turn_why": "was told that lint failed, try 1",
        "pr_number": 44,
        "checks": {"passing": 8, "failing": 1, "pending": 0},
        "wants": ["tell", "interrupt"],
        "minutes": 3,
        "cost": {"amount": "0.55", "source": "local", "billing": "metered"},
    },
    {
        "title": "Split the big controller",
        "turn": "agent",
        "word": "works",
        "rule": "11",
        "turn_why": "reads app/controllers",
        "signal_at": "2026-01-01T11:56:00+00:00",
        "wants": ["tell", "interrupt"],
        "minutes": 31,
        "cost": {"amount": None, "source": "local", "billing": "metered"},
    },
    {
        "title": "Cache the avatar images",
        "turn": "world",
        "word": "checks",
        "rule": "10",
        "turn_why": "3 of 9 checks pending",
        "activity": "ready",
        "pr_number": 43,
        "checks": {"passing": 6, "failing": 0, "pending": 3},
        "minutes": 2,
        "cost": {"amount": "2.00", "source": "local", "billing": "plan"},
    },
    {
        "title": "Remove the old bundler",
        "turn": "world",
        "word": "held",
        "rule": "9",
        "turn_why": "held by a person",
        "activity": None,
        "queued": {"position": 3, "reason": "", "held": True},
        "wants": ["release"],
        "minutes": 70,
    },
    {
        "title": "Fix the typo in the footer",
        "turn": "over",
        "word": "merged",
        "rule": "1",
        "turn_why": "merged by a person",
        "activity": "exited",
        "pr_number": 39,
        "checks": {"passing": 9, "failing": 0, "pending": 0},
        "review": "approved",
        "minutes": 130,
        "cost": {"amount": "0.31", "source": "provider", "billing": "metered"},
    },
]


def session(number: int, **more: Any) -> dict[str, Any]:
    """One item of ``GET /sessions``; the cases take turns."""
    case = dict(_CASES[number % len(_CASES)]) | more
    since = NOON - timedelta(minutes=case.pop("minutes", 5), seconds=number % 50)
    project = _PROJECTS[number % len(_PROJECTS)]
    base = {
        "id": f"{['ma', 'api', 'web'][number % 3]}-{number * 2654435761 % 2**32:08x}",
        "project_id": project,
        "status": "working",
        "activity": "active",
        "agent_name": "claude-code",
        "branch": f"issue-{number}",
        "created_at": (NOON - timedelta(hours=2) + timedelta(seconds=number)).isoformat(),
        "turn_since": since.isoformat(),
        "signal_at": None,
        "review": "none",
        "checks": None,
        "diff": None,
        "cost": None,
        "pr_number": None,
        "wants": [],
    }
    return base | case


def sessions(count: int) -> list[dict[str, Any]]:
    """So many of them."""
    return [session(number) for number in range(count)]


def event(seq: int, session_id: str, message: str = "it works") -> dict[str, Any]:
    """One event."""
    return {
        "seq": seq,
        "event_type": "activity_changed",
        "priority": "info",
        "session_id": session_id,
        "project_id": "my-app",
        "timestamp": NOON.isoformat(),
        "message": message,
    }


def board(
    count: int, *, look: str = "ascii", link: str = "live", told: Any = None, **more: Any
) -> BoardView:
    """A board with so many sessions, as it looks after they were read."""
    style = Style(on=True) if look == "colour" else PLAIN
    view = BoardView(NOON, style=style, glyphs=ASCII if look == "ascii" else UNICODE)
    for news in (
        Rows(sessions(count) if told is None else told),
        Verbs(VerbTable.of(VERBS)),
        Headed(
            Header("$4.18 of $20 today", "$4.18 of $20", "github: 212 requests left until 14:41")
        ),
        Linked(17),
    ):
        view = news.taken(view)
    if link == "lost":
        why = "no supervisor answers at http://127.0.0.1:3000"
        lost = NOON - timedelta(seconds=12)
        view = Unlinked(why, lost, NOON + timedelta(seconds=2)).taken(view)
    if link == "error":
        view = view.saying("not done: the checks of #41 are red; merge with force", bad=True)
    return replace(view, **more)


def peeked(view: BoardView) -> BoardView:
    """With all that the pane of the session under the cursor shows."""
    row = view.row
    assert isinstance(row, Row)
    view = replace(view, tab="why", peek=Peek(row.id))
    evidence = [
        {
            "at": "2026-01-01T11:58:00+00:00",
            "status": "working",
            "rule": "the agent is alive, no pull request yet",
            "facts": [
                {
                    "what": "process 48213 alive",
                    "source": "tmux",
                    "at": "2026-01-01T11:59:58+00:00",
                },
                {"what": "permission asked", "source": "hook", "at": "2026-01-01T11:58:11+00:00"},
                {"what": "no open pull request", "source": "local", "at": None},
            ],
        },
        {"at": "2026-01-01T10:30:00+00:00", "status": "spawning", "rule": "it begins", "facts": []},
    ]
    letters = [
        {
            "text": "Please also cover the API route",
            "state": "queued",
            "origin": "person",
            "created_at": "2026-01-01T11:59:00+00:00",
            "detail": "not typed into a question",
        }
    ]
    output = "● I will add express-rate-limit and a test for 429.\n\n❯ 1. Yes  2. No\n"
    for what, told in (("evidence", evidence), ("messages", letters), ("output", output)):
        view = Looked(row.id, what, told).taken(view)
    return Happened(tuple(event(n, row.id, f"event {n}") for n in range(9))).taken(view)
