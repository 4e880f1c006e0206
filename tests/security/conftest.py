"""The house full of secrets, once for all who look for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import place
from tests.http.conftest import api, orchestrator
from tests.security.planted import Scene, planted

__all__ = ["api", "orchestrator", "place", "scene"]


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A house in which agents of every kind, hooks and checks have run."""
    with planted(tmp_path_factory.mktemp("planted")) as made:
        yield made
