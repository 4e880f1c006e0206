"""Reviews that are to be on pull requests."""

REVIEW_ORDERS = (
    """CREATE TABLE review_orders (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    review TEXT NOT NULL,
    at TEXT NOT NULL,
    FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE)""",
    "CREATE INDEX idx_review_orders_session ON review_orders(session_id)",
)
