"""The table of figures stands at the end of a run; what is played in a run of the agents alone."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.agents import figures


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the many scenes out of a run of everything."""
    if os.environ.get("CI") and not os.environ.get(figures.FILE):
        left = [item for item in items if item.get_closest_marker("scenes")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print it, unless whoever runs several of us at once does."""
    if figures.kept() and not os.environ.get(figures.FILE):
        terminalreporter.write_sep("=", "the agents' days")
        terminalreporter.write_line(figures.table(figures.kept()))
