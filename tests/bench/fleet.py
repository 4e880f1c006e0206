"""Any number of sessions at once: one is worked through for real, the others are
copies of what it left behind.

A copy has everything a supervisor looks at: its rows, its folder with the agent's transcript, its
branch in both repositories, its pull request, and a terminal in which a process lives (``sleep``,
instead of an agent of its own: it is the supervisor that is measured, not a thousand agents). Of
its worktree git's own files are there.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ennio.machine.process_table import start_of
from tests.bench.stand import PULLED, MeasuredHouse, come
from tests.e2e.house import Supervised

PULL = 7_000_001
"""The number of the pull request that is copied: one that nothing else in a row is equal to."""

_UNTOLD = ("events", "house_events", "reaction_history", "notifications", "sequence")
_PANES = "#{session_name} #{pane_pid}"


@dataclass(frozen=True, slots=True)
class Model:
    """The session that is copied: its name, and the process in its terminal with its birth."""

    name: str
    pid: str
    born: str
    head: str


def grow(house: MeasuredHouse, many: int) -> list[str]:
    """See to so many sessions, all of them at rest with an open pull request. The
    house is stopped afterwards.
    """
    model = _model(house)
    names = [f"{model.name[:-8]}{number:08x}" for number in range(1, many)]
    born = terminals(house, names)
    _branches(house, model, names)
    _worktrees(house, names)
    with (
        closing(sqlite3.connect(house.ground.clone / "ennio.db", timeout=20)) as database,
        database,
    ):
        rows = {table: rows_of(database, table, model.name) for table in tables_of(database)}
        for number, name in enumerate(names, start=PULL + 1):
            pid, start = born[name]
            words = {model.name: name, model.pid: pid, model.born: start, str(PULL): str(number)}
            told = _folder(house, model, name, words)
            for table, found in rows.items():
                for row in found:
                    copy_row(database, table, row, words, name)
            _read_so_far(database, name, told)
        database.execute("UPDATE sequence SET value = ? WHERE name = 'pull:score'", (PULL + many,))
    return [model.name, *names]


def _model(house: MeasuredHouse) -> Model:
    """A real session that has done its work and rests."""
    house.start()
    with (
        closing(sqlite3.connect(house.ground.clone / "ennio.db", timeout=20)) as database,
        database,
    ):
        database.execute("INSERT INTO sequence (name, value) VALUES ('pull:score', ?)", (PULL - 1,))
    name = house.spawn("Write down what you know")
    come(lambda: house.session(name)["status"] in PULLED, 60, f"{name} has a pull request")
    come(lambda: house.session(name)["activity"] in ("ready", "idle"), 60, f"{name} rests")
    house.quiet()
    house.stop()
    pid = panes_of(house)[name]
    return Model(
        name,
        pid,
        start_of(int(pid)),
        house.ground.git("rev-parse", f"refs/heads/{name}", cwd=house.ground.hub),
    )


def panes_of(house: Supervised) -> dict[str, str]:
    listing = house.ground.tmux("list-panes", "-a", "-F", _PANES).stdout
    return dict(line.split() for line in listing.splitlines())


def terminals(house: Supervised, names: list[str]) -> dict[str, tuple[str, str]]:
    """A terminal for each, marked as the runtime marks its own; the process in it
    and its birth, by session.
    """
    lines = []
    for name in names:
        lines.append(f"new-session -d -s {name} -x 200 -y 50 -c / -- sleep infinity")
        lines.append(f"set-option -t ={name}: @ennio_number 1")
        lines.append(f"set-option -F -t ={name}: @ennio_pane '#{{pane_id}}'")
    command = ["tmux", "-L", house.ground.socket, "source-file", "-"]
    subprocess.run(
        command, input="\n".join(lines), text=True, timeout=120, check=True, capture_output=True
    )
    panes = panes_of(house)
    return {name: (panes[name], start_of(int(panes[name]))) for name in names}


def _branches(house: MeasuredHouse, model: Model, names: list[str]) -> None:
    ground = house.ground
    for place, space in (
        (ground.hub, "refs/heads"),
        (ground.clone, "refs/heads"),
        (ground.clone, "refs/remotes/origin"),
    ):
        orders = "".join(f"create {space}/{name} {model.head}\n" for name in names)
        subprocess.run(
            ["git", "update-ref", "--stdin"],
            cwd=place,
            env=ground.env,
            input=orders,
            text=True,
            timeout=60,
            check=True,
        )


def _worktrees(house: MeasuredHouse, names: list[str]) -> None:
    """What ``git worktree add --no-checkout`` would leave, without a process for each."""
    for name in names:
        place, own = (
            house.ground.home / "worktrees" / "score" / name,
            house.ground.clone / ".git" / "worktrees" / name,
        )
        place.mkdir(parents=True)
        own.mkdir(parents=True)
        (place / ".git").write_text(f"gitdir: {own}\n")
        for file, words in (
            ("HEAD", f"ref: refs/heads/{name}"),
            ("commondir", "../.."),
            ("gitdir", str(place / ".git")),
        ):
            (own / file).write_text(f"{words}\n")


def tables_of(database: sqlite3.Connection) -> list[str]:
    """The tables of which a session is copied."""
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name = 'sessions' DESC"
    ).fetchall()
    return [name for (name,) in found if name not in _UNTOLD and not name.startswith("sqlite_")]


def rows_of(database: sqlite3.Connection, table: str, session: str) -> list[dict[str, Any]]:
    """The rows in which the session is named."""
    cursor = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the database's own name for it
    columns = [column[0] for column in cursor.description]
    rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return [
        row
        for row in rows
        if any(isinstance(value, str) and session in value for value in row.values())
    ]


def changed(value: Any, words: Mapping[str, str]) -> Any:
    """The value of a copy, in which each of these words is another one."""
    if isinstance(value, int):
        return int(words.get(str(value), value))
    if isinstance(value, str):
        for old, new in words.items():
            value = re.sub(rf"(?<![0-9.]){re.escape(old)}(?![0-9])", new, value)
    return value


def copy_row(
    database: sqlite3.Connection,
    table: str,
    row: dict[str, Any],
    words: Mapping[str, str],
    name: str,
) -> None:
    """One more row, like this one but for these words."""
    row = {column: changed(value, words) for column, value in row.items()}
    known_by = {"messages": "id", "deliveries": "subject"}.get(table)
    if known_by is not None:
        row[known_by] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {row[known_by]}"))
    marks = ", ".join("?" * len(row))
    columns = ", ".join(f'"{column}"' for column in row)
    database.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', tuple(row.values()))  # noqa: S608 - its own names


def _read_so_far(database: sqlite3.Connection, name: str, told: int) -> None:
    """The whole transcript has been read: pids of other lengths have moved its end."""
    ((text,),) = database.execute(
        "SELECT read_to FROM agents WHERE session_id = ?", (name,)
    ).fetchall()
    read_to = json.dumps({**json.loads(text), "offset": str(told)})
    database.execute("UPDATE agents SET read_to = ? WHERE session_id = ?", (read_to, name))


def _folder(house: MeasuredHouse, model: Model, name: str, words: Mapping[str, str]) -> int:
    """The session's own folder; returns the bytes of its transcript."""
    sessions = house.ground.home / "sessions"
    shutil.copytree(sessions / model.name, sessions / name)
    transcript = sessions / name / "transcript.jsonl"
    return transcript.write_text(changed(transcript.read_text(), words))
