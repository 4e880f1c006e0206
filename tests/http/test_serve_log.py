"""What a supervisor's process lets out on stderr."""

from __future__ import annotations

from pathlib import Path

from ennio.http import address
from tests.conftest import eventually
from tests.http.test_serve import Supervisor


def test_the_log_of_a_supervisor_holds_no_token_whatever_an_error_says(tmp_path: Path) -> None:
    (tmp_path / "refuse").write_text("postgresql://me:canary-password@db refused canary-token")
    supervisor = Supervisor(tmp_path, TOKEN="canary-token")
    eventually(lambda: supervisor.process.poll() is not None, why="it ends by itself")
    assert (
        "ERROR ennio.http.serve: could not start: postgresql://me:***@db refused ***\n"
        in supervisor.words()
    )
    assert "canary" not in supervisor.words()


def test_a_token_that_was_made_for_this_instance_is_kept_out_too(tmp_path: Path) -> None:
    first = Supervisor(tmp_path)
    try:
        eventually(first.answers)
        token = (first.run_dir / address.TOKEN).read_text().strip()
    finally:
        first.process.terminate()
        first.process.wait(20)
    (tmp_path / "refuse").write_text(f"it said {token}")
    again = Supervisor(tmp_path)
    eventually(lambda: again.process.poll() is not None, why="it ends by itself")
    assert "could not start: it said ***\n" in again.words()
    assert token not in again.words()
