"""On which machine a session is: NULL is the supervisor's own."""

SESSION_HOST = ("ALTER TABLE sessions ADD COLUMN host TEXT",)
