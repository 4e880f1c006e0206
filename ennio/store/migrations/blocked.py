"""Since when a waiting session waits for what only a person can mend."""

from __future__ import annotations

BLOCKED = ("ALTER TABLE queue ADD COLUMN blocked_at TEXT",)
