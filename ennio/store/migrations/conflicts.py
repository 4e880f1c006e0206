"""Conflicts that are expected between branches, and how much each branch changes."""

CONFLICTS = (
    """CREATE TABLE conflicts (
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    project_id TEXT NOT NULL,
    one_branch TEXT NOT NULL,
    other_branch TEXT NOT NULL,
    one_head TEXT NOT NULL,
    other_head TEXT NOT NULL,
    paths TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (one, other))""",
)

BRANCH_DIFFS = (
    """CREATE TABLE branch_diffs (
    session_id TEXT NOT NULL PRIMARY KEY,
    head TEXT NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    files INTEGER NOT NULL,
    FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE)""",
)
