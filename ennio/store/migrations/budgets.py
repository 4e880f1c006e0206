"""What is set, raised, told and kept of budgets, and which sessions one holds back."""

BUDGETS = (
    "ALTER TABLE sessions ADD COLUMN paused_since TEXT",
    "ALTER TABLE sessions ADD COLUMN paused TEXT",
    """CREATE TABLE budgets (
    name TEXT NOT NULL PRIMARY KEY,
    budget TEXT NOT NULL,
    at TEXT NOT NULL,
    by TEXT NOT NULL)""",
    """CREATE TABLE budget_raises (
    id TEXT NOT NULL PRIMARY KEY,
    budget TEXT NOT NULL,
    good_for TEXT NOT NULL,
    usd TEXT,
    tokens INTEGER,
    at TEXT NOT NULL,
    by TEXT NOT NULL)""",
    "CREATE INDEX idx_budget_raises_budget ON budget_raises(budget, good_for)",
    """CREATE TABLE budget_notices (
    budget TEXT NOT NULL,
    mark TEXT NOT NULL,
    level TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (budget, mark, level))""",
    """CREATE TABLE budget_reservations (
    session_id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL,
    likely TEXT NOT NULL,
    at TEXT NOT NULL,
    FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE)""",
)
