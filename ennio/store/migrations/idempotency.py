"""The table of requests that may be sent again."""

IDEMPOTENCY_KEYS = (
    """CREATE TABLE idempotency_keys (
    "key" TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    subject TEXT NOT NULL,
    at TEXT NOT NULL,
    answer TEXT
)""",
    "CREATE INDEX idx_idempotency_keys_at ON idempotency_keys (at)",
)
