"""Since when a person holds a waiting session, and which call of a reaction a person has seen."""

from __future__ import annotations

TURNS = (
    "ALTER TABLE queue ADD COLUMN held_at TEXT",
    "ALTER TABLE reactions ADD COLUMN seen TEXT",
)
