"""Addresses of the web as settings hold them."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_web_address(text: str) -> bool:
    """Whether a text is ``http://HOST`` or ``https://HOST`` with a port that can be one; nothing can be asked of anything else."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not any(c.isspace() for c in text)
    except ValueError:
        return False
