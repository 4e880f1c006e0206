"""The table of links in notices that answer a question."""

ANSWER_LINKS = (
    """CREATE TABLE answer_links (
    digest TEXT NOT NULL PRIMARY KEY,
    notice_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    session_id TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
)""",
    "CREATE INDEX idx_answer_links_notice ON answer_links (notice_id)",
)
