"""The runtimes of the contract, each in a world of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.runtime_bench import BENCHES, Bench


@pytest.fixture(params=list(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Every runtime."""
    yield from BENCHES[request.param](tmp_path)


@pytest.fixture(params=[name for name in BENCHES if name != "stub"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Every runtime that runs real processes."""
    yield from BENCHES[request.param](tmp_path)
