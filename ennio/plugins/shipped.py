"""The names of the plugins in each slot: those shipped, and those other distributions bring.

A distribution brings one by an entry point in the group ``ennio.<slot>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ennio.plugins.entry_points import entry_points

SHIPPED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "agent": ("claude-code", "aider", "codex", "opencode", "scripted", "command", "stub"),
        "runtime": ("tmux", "process", "ssh", "stub"),
        "workspace": ("worktree", "clone", "stub"),
        "tracker": ("github", "linear", "local", "stub"),
        "scm": ("github", "local", "stub"),
        "notifier": ("desktop", "slack", "webhook", "ntfy", "command", "apprise", "stub"),
        "terminal": ("web", "stub"),
        "predictor": ("history", "stub"),
    }
)


def known() -> Mapping[str, tuple[str, ...]]:
    """Every name a configuration may use, by slot: the shipped ones first. Nothing is loaded."""
    brought = {slot: (point.name for point in entry_points(slot)) for slot in SHIPPED}
    return {slot: tuple(dict.fromkeys((*names, *brought[slot]))) for slot, names in SHIPPED.items()}
