"""The table of figures stands at the end of a run."""

from __future__ import annotations

import os
from typing import Any

from tests.agents import figures


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print it, unless whoever runs several of us at once does."""
    if figures.kept() and not os.environ.get(figures.FILE):
        terminalreporter.write_sep("=", "the agents' days")
        terminalreporter.write_line(figures.table(figures.kept()))
