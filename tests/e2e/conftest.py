"""Which stories are told with supervisors that begin as a person's do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.house import Supervised

BEGUN = ("test_outside.py", "test_own_tmux.py", "test_person.py", "test_port.py")
"""What is about the beginning, or about the process as the system shows it. Elsewhere a supervisor
is forked from one that has loaded itself (see ``tests/forked_supervisor.py``).
"""


@pytest.fixture(autouse=True)
def _begun(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path(request.path).name in BEGUN:
        monkeypatch.setattr(Supervised, "forked", False)
