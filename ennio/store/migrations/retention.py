"""What was counted of rows that are no longer kept."""

PRUNED = (
    """CREATE TABLE pruned (
    name TEXT NOT NULL PRIMARY KEY,
    amount TEXT NOT NULL)""",
    "CREATE INDEX idx_evidence_at ON evidence (at)",
)
