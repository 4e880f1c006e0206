"""A sandboxed session from its first prompt to its merge, with the supervisor killed in between;
and that it stays sandboxed whatever the file says later.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from ennio.model.errors import Refused
from tests.conftest import eventually, need
from tests.e2e.house import Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

LOOKS = 'ls -a "$HOME" / > seen.txt; ls "$ENNIO_HOME"/run >> seen.txt 2>&1; true'
WORKS = story(
    turn("prompt", [{"run": ["sh", "-c", LOOKS]}, {"commit": "Look around"}, "push"]),
    turn(
        "message",
        [{"edit": {"file": "more.txt", "content": "more"}}, {"commit": "Do more"}, "push"],
    ),
)


def test_a_sandboxed_session_goes_from_its_prompt_to_its_merge(tmp_path: Path) -> None:
    need("bwrap")
    apart = 'test -f seen.txt && git log -1 && test ! -e "$HOME/.netrc" && echo x > made'
    checks = [{"name": "apart", "run": apart}]
    scm = {"plugin": "local", "config": {"auto_open": True, "checks": checks}}
    with supervised(
        tmp_path,
        lambda ground: project(
            ground,
            agent_config=WORKS,
            scm_config=scm,
            isolation="bubblewrap",
            sandbox={"network": "loopback"},
        ),
    ) as house:
        (house.ground.root / "person" / ".netrc").write_text("a secret")
        session_id = house.spawn()
        house.becomes(session_id, "ci_passing", "mergeable", "approved")
        assert "isolation bubblewrap" in " ".join(
            house.ground.ennio("session", "info", session_id).out.split()
        )
        (row,) = house.client.get("/sessions?view=row")
        assert row["isolation"] == "bubblewrap"
        house.kill_everything()
        house.start()
        house.client.post(f"/sessions/{session_id}/send", {"message": "go on"})
        listed = ("ls-tree", "--name-only", session_id)
        eventually(lambda: "more.txt" in house.ground.git(*listed, cwd=house.ground.hub))
        number = house.session(session_id)["pr_number"]
        eventually(lambda: _is_merged(house, number), why="its checks are still running")
        house.becomes(session_id, "merged")
        seen = house.ground.main("seen.txt")
        assert ".netrc" not in seen
        assert "No such file" in seen


def _is_merged(house: Supervised, number: int) -> bool:
    with suppress(Refused):
        house.client.post(f"/projects/score/pulls/{number}/merge", {})
        return True
    return False
