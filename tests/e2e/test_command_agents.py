"""Programs of one's own as agents, conducted by a real supervisor: what they are told when they are
started again, and what an interrupt leaves in their line.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ennio.policy.prompt import FORGOTTEN
from tests.conftest import eventually, need
from tests.e2e.house import Ground, Supervised, project, supervised

pytestmark = pytest.mark.e2e

ONE_SHOT = 'cat "$ENNIO_PROMPT_FILE" >> "$TOLD"; echo; echo "--" >> "$TOLD"; exit 3'
READS = 'while IFS= read -r -p "> " line; do printf "%s\\n" "$line" >> "$TOLD"; done'


def commanding(run: str, **passthrough: Any) -> Callable[[Ground], dict[str, Any]]:
    """A project whose agent is this line of bash, which keeps what it is told."""

    def made(ground: Ground) -> dict[str, Any]:
        told = str(ground.root / "told")
        settings = {"argv": ["bash", "-c", run], **passthrough}
        return project(
            ground,
            agent="command",
            agent_config={"passthrough": settings},
            env={"TOLD": told},
            restart={"attempts": 0},
        )

    return made


def told(house: Supervised) -> str:
    file = house.ground.root / "told"
    return file.read_text() if file.exists() else ""


def test_a_restored_program_that_remembers_nothing_is_told_all_of_its_task(
    tmp_path: Path,
) -> None:
    need("bash")
    with supervised(tmp_path, commanding(ONE_SHOT)) as house:
        name = house.spawn("Write the sonata")
        house.becomes(name, "exited", within=60)
        first = told(house)
        assert "Write the sonata" in first
        assert f"You are session {name}" in first
        assert house.ground.ennio("send", name, "In D minor").code == 0
        restored = house.ground.ennio("session", "restore", name)
        assert restored.code == 0, restored.err
        eventually(lambda: told(house).count("--\n") == 2, 60, "it was started again")
        again = told(house).removeprefix(first)
        brief = first.removesuffix("--\n").rstrip()
        assert again == f"{brief}\n\n{FORGOTTEN}\n\nIn D minor--\n"


@pytest.mark.parametrize("message", [None, "In D minor"])
def test_a_restored_program_that_is_typed_to_is_told_its_task_again(
    tmp_path: Path, message: str | None
) -> None:
    need("bash")
    with supervised(tmp_path, commanding(READS, interactive=True)) as house:
        name = house.spawn("Write the sonata")
        eventually(lambda: told(house) == "Write the sonata\n", 60, "it is told its task")
        eventually(lambda: house.session(name)["activity"] != "active", 60, "it rests")
        for pid in house.ground.agents()[name]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        house.becomes(name, "exited", within=60)
        if message:
            assert house.ground.ennio("send", name, message).code == 0
        restored = house.ground.ennio("session", "restore", name)
        assert restored.code == 0, restored.err
        lines = ["Write the sonata", f"Write the sonata {FORGOTTEN} {message}"]
        wanted = lines if message else [lines[0]] * 2
        eventually(lambda: told(house).splitlines() == wanted, 90, f"told {told(house)!r}")


def test_an_interrupt_of_a_program_nobody_knows_keeps_no_message_waiting(tmp_path: Path) -> None:
    need("bash")
    with supervised(tmp_path, commanding(READS, interactive=True)) as house:
        name = house.spawn("Write the sonata")
        eventually(lambda: told(house) == "Write the sonata\n", 60, "it is told its task")
        assert house.ground.ennio("interrupt", name).code == 0
        assert house.ground.ennio("send", name, "In D minor").code == 0
        both = "Write the sonata\nIn D minor\n"
        eventually(lambda: told(house) == both, 90, f"told {told(house)!r}")
