"""What came of the demo: one document, its table, and what to type next."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ennio.board.table import Column
from ennio.board.table import table as lines_of
from ennio.demo.director import Director
from ennio.demo.scene import Scene
from ennio.machine.installation import command, program


def outcome(director: Director, seconds: float, *, finished: bool) -> dict[str, Any]:
    """One document. ``ok``: the story came to its end, everything merged that
    should, both crashes survived.
    """
    now = {session["id"]: session for session in director.sessions()}
    sessions = []
    for part in director.parts.values():
        session = now.get(part.session_id, {})
        usage = session.get("usage") or {}
        sessions.append(
            {
                "id": part.session_id,
                "role": part.role,
                "status": session.get("status", part.statuses[-1]),
                "statuses": part.statuses,
                "pull_request": part.pull,
                "reactions": dict(part.told),
                "escalated": part.escalated,
                "cost_usd": usage.get("cost_usd"),
                "unpriced": usage.get("unpriced", 0),
            }
        )
    merged = all(s["status"] in ("merged", "done") for s in sessions if s["role"] != "silent")
    return {
        "ok": finished
        and merged
        and set(director.crashes) == {"actor", "worker"}
        and director.events["session_paused"] == director.events["session_resumed"],
        "seconds": round(seconds, 1),
        "sessions": sessions,
        "reactions": _reactions(director),
        "notices": _notices(director),
        "crashes": list(director.crashes),
        "events": dict(sorted(director.events.items())),
        "last_seq": director.last_seq,
        "ledger": director.ledger(),
        "budget": _budget(director),
        "question": director.question,
    }


def _budget(director: Director) -> dict[str, Any]:
    """What became of the budget that was not enough, and how often which was told of any."""
    raised = {key: director.budget.get(key) for key in ("name", "used", "limit", "raised_usd")}
    told = {
        kind: director.events[kind]
        for kind in ("budget_warning", "budget_exceeded", "session_paused", "session_resumed")
    }
    return {**raised, **told}


def _notices(director: Director) -> list[dict[str, Any]]:
    """What the person of the demo was told, oldest first; each once, whatever crashed meanwhile."""
    keys = ("session_id", "reaction", "priority", "message", "sent", "failed", "resolved_at")
    found = director.client.get("/notifications", limit=1000)
    return [{key: notice[key] for key in keys} for notice in reversed(found)]


def _reactions(director: Director) -> list[dict[str, Any]]:
    found = []
    for part in director.parts.values():
        for key, attempts in sorted(part.told.items()):
            found.append({"session": part.session_id, "reaction": key, "attempts": attempts})
        if part.escalated:
            found.append(
                {
                    "session": part.session_id,
                    "reaction": "agent-stuck",
                    "attempts": 1,
                    "escalated": True,
                }
            )
    return found


def table(document: Mapping[str, Any]) -> str:
    """The table of what happened."""
    rows = [
        (
            session["role"],
            session["id"],
            session["status"],
            f"#{session['pull_request']}" if session["pull_request"] else "-",
            ", ".join(f"{key} x{count}" for key, count in session["reactions"].items())
            or ("escalated" if session["escalated"] else "-"),
        )
        for session in document["sessions"]
    ]
    lines = lines_of([Column(title) for title in ("ROLE", "SESSION", "STATUS", "PR", "TOLD")], rows)
    ways = lines_of(
        [Column("ROLE"), Column("WENT THROUGH")],
        [(s["role"], " > ".join(s["statuses"])) for s in document["sessions"]],
    )
    events = sum(document["events"].values())
    verdict = (
        "All that should merge has merged."
        if document["ok"]
        else "NOT everything went as it should."
    )
    foot = (
        f"{verdict} {document['seconds']} s, {events} events, survived: "
        f"{', '.join(document['crashes']) or 'nothing'}."
    )
    return "\n".join(["", *lines, "", *ways, "", foot])


def typed() -> str:
    """What a person types to call this very one."""
    return "ennio" if _on_path() else program()


def board_of(set_up: Scene) -> str:
    """The command that shows the demo's sessions in a terminal while it plays."""
    return f"cd {set_up.clone} && ENNIO_HOME={set_up.home} {typed()} board"


def _on_path() -> bool:
    """Whether a person who types ``ennio`` gets this very one."""
    found, (own, *more) = shutil.which("ennio"), command()
    return found is not None and not more and os.path.realpath(found) == os.path.realpath(own)


def farewell(
    document: Mapping[str, Any], kept: Path | None, environment: Mapping[str, str] | None
) -> str:
    """The lines to type next."""
    ennio = typed()
    steps = ("init", "doctor", "start --detach", 'spawn NAME --prompt "..."')
    lines = ["", "Next, in a repository of your own:", *(f"  {ennio} {step}" for step in steps)]
    if kept is not None and environment is not None:
        lines += [
            "",
            f"The demo's folder is kept: {kept}",
            f"  cd {kept}/score && ENNIO_HOME={environment['ENNIO_HOME']} {ennio} start",
        ]
    if not document["ok"]:
        lines += [
            "",
            "To see more: ennio demo --keep, then read supervisor.log in the folder it names.",
        ]
    return "\n".join(lines)
