"""What the orchestra keeps beyond v0.1: a numbered log, knowledge of sessions, recorded effects.

Whatever belongs to one session goes with it (``ON DELETE CASCADE``); what may concern none (the
reactions of a project, notifications) has no such tie. Booleans are 0 and 1, times RFC 3339,
structures JSON. ``ordinal`` is the order in which rows were added.
"""

SEQUENCE = """CREATE TABLE sequence (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL)"""

# An event of no session (a node came, all is complete) cannot stand in ``events``, whose session
# must exist; both tables share one numbering and are read as one log.
EVENT_LOG = (
    SEQUENCE,
    "ALTER TABLE events ADD COLUMN seq INTEGER",
    """CREATE TABLE house_events (
    id TEXT PRIMARY KEY,
    event_type TEXT NOT NULL,
    priority TEXT NOT NULL,
    session_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    message TEXT NOT NULL,
    data TEXT NOT NULL,
    seq INTEGER NOT NULL)""",
    """CREATE VIEW event_log AS
    SELECT seq, id, event_type, priority, session_id, project_id, timestamp, message, data FROM events
    UNION ALL
    SELECT seq, id, event_type, priority, session_id, project_id, timestamp, message, data FROM house_events""",  # noqa: E501
    "CREATE UNIQUE INDEX idx_events_seq ON events(seq)",
    "CREATE INDEX idx_events_session_seq ON events(session_id, seq)",
    "CREATE INDEX idx_events_project_seq ON events(project_id, seq)",
    "CREATE UNIQUE INDEX idx_house_events_seq ON house_events(seq)",
    "CREATE INDEX idx_house_events_session_seq ON house_events(session_id, seq)",
    "CREATE INDEX idx_house_events_project_seq ON house_events(project_id, seq)",
)

_SESSION_COLUMNS = (
    "base TEXT",
    "prompt TEXT",
    "workspace_name TEXT",
    "runtime_name TEXT",
    "priority INTEGER",
    "reason TEXT",
    "outcome TEXT",
    "no_signal_since TEXT",
)
WHOLE_SESSIONS = (
    *(f"ALTER TABLE sessions ADD COLUMN {column}" for column in _SESSION_COLUMNS),
    "ALTER TABLE session_metrics ADD COLUMN cost_usd TEXT",
    "CREATE INDEX idx_sessions_status ON sessions(status)",
    "CREATE INDEX idx_sessions_project_branch ON sessions(project_id, branch)",
)

KNOWLEDGE = (
    """CREATE TABLE memories (
    session_id TEXT PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE,
    value TEXT NOT NULL)""",
    """CREATE TABLE facts (
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    source TEXT NOT NULL,
    observed_at TEXT NOT NULL,
    PRIMARY KEY (session_id, kind))""",
    """CREATE TABLE evidence (
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    at TEXT NOT NULL,
    status TEXT NOT NULL,
    rule TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (session_id, ordinal))""",
    """CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL)""",
)

WAITING_MESSAGES = ("CREATE INDEX idx_messages_state ON messages(state, ordinal)",)
NO_SIGNAL = ("ALTER TABLE sessions ADD COLUMN no_signal TEXT",)
HELD_MERGES = tuple(
    f"ALTER TABLE merges ADD COLUMN {column}"
    for column in ("attempts INTEGER", "held TEXT", "held_since TEXT", "handed INTEGER")
)

CARRIED_MESSAGES = (
    "ALTER TABLE messages ADD COLUMN carried INTEGER",
    "UPDATE messages SET carried = 1 WHERE detail = 'given with the command line'",
)

PROJECT_REACTIONS = (
    """CREATE TABLE project_reactions (
    project_id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, "key"))""",
    # a project had the name of a session that cannot be
    """INSERT INTO project_reactions (project_id, "key", value)
    SELECT substr(session_id, 2), "key", value FROM reactions WHERE session_id LIKE '@%'""",
    "DELETE FROM reactions WHERE session_id LIKE '@%'",
)

EFFECTS = (
    """CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL,
    fingerprint TEXT,
    reaction TEXT,
    started_at TEXT,
    delivered_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    launch INTEGER,
    error TEXT,
    detail TEXT NOT NULL DEFAULT '',
    UNIQUE (session_id, fingerprint))""",
    "CREATE INDEX idx_messages_session_state ON messages(session_id, state, ordinal)",
    "CREATE INDEX idx_messages_session_ordinal ON messages(session_id, ordinal)",
    """CREATE TABLE reactions (
    session_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session_id, key))""",
    """CREATE TABLE reaction_history (
    id TEXT PRIMARY KEY,
    ordinal INTEGER NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    action TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    fingerprint TEXT,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL)""",
    "CREATE INDEX idx_reaction_history_session ON reaction_history(session_id, ordinal)",
    """CREATE TABLE merges (
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    method TEXT NOT NULL,
    state TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at TEXT NOT NULL,
    "commit" TEXT,
    error TEXT,
    PRIMARY KEY (session_id, head))""",
    "CREATE INDEX idx_merges_state ON merges(state, at)",
    """CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    ordinal INTEGER NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    priority TEXT NOT NULL,
    session_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    message TEXT NOT NULL,
    at TEXT NOT NULL,
    reaction TEXT,
    fingerprint TEXT UNIQUE,
    channels TEXT NOT NULL,
    sent TEXT NOT NULL,
    failed TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    done_at TEXT)""",
    "CREATE INDEX idx_notifications_done ON notifications(done_at, ordinal)",
    """CREATE TABLE queue (
    session_id TEXT PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE,
    project_id TEXT NOT NULL,
    priority INTEGER NOT NULL,
    position INTEGER NOT NULL,
    held INTEGER NOT NULL,
    enqueued_at TEXT NOT NULL,
    reason TEXT NOT NULL)""",
    "CREATE INDEX idx_queue_order ON queue(priority DESC, position, enqueued_at)",
)
