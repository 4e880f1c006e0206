"""Real repositories for the tests of forges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.plugins.forge.hub import ALONE, Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub nobody's own git configuration reaches; its checks end with the test."""
    need("git")
    for key, value in ALONE.items():
        monkeypatch.setenv(key, value)
    hub = Hub(tmp_path)
    yield hub
    hub.end()
