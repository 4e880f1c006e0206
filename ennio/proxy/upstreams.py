"""Where agents speak to by themselves, where nobody has named another address."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OWN: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "https://api.anthropic.com",
        "anthropic-versioned": "https://api.anthropic.com/v1",
        "openai": "https://api.openai.com/v1",
        "chatgpt": "https://chatgpt.com/backend-api/codex",
    }
)
"""By the name of who serves; each as the base addresses of its clients are written."""
