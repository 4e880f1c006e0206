"""Sandboxed sessions: what is there in them, and what is not."""
