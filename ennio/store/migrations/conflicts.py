"""Conflicts that are expected between branches."""

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
