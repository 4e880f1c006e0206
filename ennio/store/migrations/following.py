"""The cursors of those who follow the log."""

CURSORS = (
    """CREATE TABLE cursors (
    name TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL)""",
    """INSERT INTO cursors (name, seq) SELECT "key", CAST(value AS INTEGER) FROM meta WHERE "key" LIKE 'tracker:%'""",  # noqa: E501
    """DELETE FROM meta WHERE "key" LIKE 'tracker:%'""",
)
