"""One sshd for the stories of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ssh.sshd import Sshd, sshd


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd() as started:
        yield started
