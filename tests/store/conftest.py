"""A store on a real file or server, a clock that stands still, and a database as v0.1 left it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ennio.model.clock import ManualClock
from ennio.model.session import Session, SessionStatus
from ennio.store import Store, open_store
from tests import made_database

# word for word the tables, defaults, keys and indices of the documentation
V01 = """
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'spawning', activity TEXT, branch TEXT, issue_id TEXT,
  workspace_path TEXT, runtime_handle TEXT, agent_info TEXT, agent_name TEXT, pr_url TEXT, pr_number INTEGER, tmux_name TEXT,
  config_hash TEXT NOT NULL, role TEXT, metadata TEXT NOT NULL DEFAULT '{}', created_at TEXT NOT NULL DEFAULT (datetime('now')),
  last_activity_at TEXT NOT NULL DEFAULT (datetime('now')), restored_at TEXT, archived_at TEXT);
CREATE TABLE events (
  id TEXT PRIMARY KEY, event_type TEXT NOT NULL, priority TEXT NOT NULL, session_id TEXT NOT NULL, project_id TEXT NOT NULL,
  timestamp TEXT NOT NULL DEFAULT (datetime('now')), message TEXT NOT NULL, data TEXT NOT NULL DEFAULT '{}',
  FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE);
CREATE TABLE projects (
  project_id TEXT PRIMARY KEY, name TEXT NOT NULL, repo TEXT NOT NULL, path TEXT NOT NULL, default_branch TEXT NOT NULL DEFAULT 'main',
  config_hash TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (datetime('now')), updated_at TEXT NOT NULL DEFAULT (datetime('now')));
CREATE TABLE session_metrics (
  session_id TEXT PRIMARY KEY, total_tokens_in INTEGER NOT NULL DEFAULT 0, total_tokens_out INTEGER NOT NULL DEFAULT 0,
  estimated_cost_usd REAL NOT NULL DEFAULT 0.0, ci_runs INTEGER NOT NULL DEFAULT 0, ci_failures INTEGER NOT NULL DEFAULT 0,
  review_rounds INTEGER NOT NULL DEFAULT 0, time_to_first_pr_secs INTEGER, time_to_merge_secs INTEGER,
  updated_at TEXT NOT NULL DEFAULT (datetime('now')), FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE);
CREATE INDEX idx_events_session_id ON events(session_id);
CREATE INDEX idx_events_event_type ON events(event_type);
CREATE INDEX idx_sessions_project_status ON sessions(project_id, status);
"""

V01_ROWS = """
INSERT INTO sessions (id, project_id, config_hash) VALUES ('ma-0', 'my-app', 'cafe');
INSERT INTO sessions (id, project_id, status, activity, branch, runtime_handle, agent_info, agent_name, pr_number, config_hash, metadata,
                      created_at, last_activity_at)
  VALUES ('ma-1', 'my-app', 'ci_failed', 'waiting_input', 'fix',
  '{"id":"ma-1","runtime_name":"tmux","data":{"session":"ma-1","pid":17}}',
  '{"summary":"half done","cost":{"input_tokens":1200,"output_tokens":30,"estimated_cost_usd":0.12}}',
  'claude-code', 7, 'beef', '{"a":"b","n":1}', '2025-11-02T10:00:00.123456789+01:00', '2025-11-02 10:30:00');
INSERT INTO sessions (id, project_id, status, agent_info, config_hash, created_at)
  VALUES ('ma-2', 'my-app', 'killed', '{"summary":null,"cost":null}', 'beef', '2025-11-02 09:30:00');
INSERT INTO events (id, event_type, priority, session_id, project_id, timestamp, message, data) VALUES
  ('e-late', 'ci_failing', 'action', 'ma-1', 'my-app', '2025-11-02T12:00:00+00:00', 'red', '{"run":1}'),
  ('e-first', 'session_spawned', 'info', 'ma-1', 'my-app', '2025-11-02T10:00:00.5+01:00', 'spawned', 'null'),
  ('e-middle', 'session_working', 'info', 'ma-1', 'my-app', '2025-11-02 09:30:00', 'works', '{}');
INSERT INTO projects (project_id, name, repo, path, config_hash) VALUES ('my-app', 'My App', 'git@x:y/z.git', '/src/my-app', 'beef');
INSERT INTO session_metrics (session_id, total_tokens_in, estimated_cost_usd) VALUES ('ma-1', 1200, 0.1);
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind: what is tested with it holds for both."""
    return (
        f"sqlite:{tmp_path / 'ennio.db'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres").made())
    )


@pytest.fixture
def store(url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    made = url.startswith("sqlite")
    opened = made_database.opened(tmp_path, clock) if made else open_store(url, tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    """A file, for what only SQLite has."""
    opened = made_database.opened(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def session(clock: ManualClock) -> Session:
    now = clock.now()
    return Session(
        id="ma-1",
        project_id="my-app",
        status=SessionStatus.WORKING,
        created_at=now,
        last_activity_at=now,
        config_hash="cafe",
    )


@pytest.fixture
def spawn(store: Store, session: Session) -> Callable[..., Session]:
    """Puts a session into the store: the fixture's own, changed as asked."""

    def insert(session_id: str = "ma-1", **changes: Any) -> Session:
        made = replace(session, id=session_id, **changes)
        store.sessions.insert(made)
        return made

    return insert


@pytest.fixture
def v01(tmp_path: Path) -> Path:
    """A database as v0.1 wrote it."""
    path = tmp_path / "ennio.db"
    with sqlite3.connect(path) as database:
        database.executescript(V01 + V01_ROWS)
    database.close()
    return path
