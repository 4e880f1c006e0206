"""What a person is advised to type about a working copy can be typed as it stands."""

from __future__ import annotations

from ennio.actors.way_out import way_out
from ennio.hosts.brief import Brief
from ennio.model.facts import Place
from ennio.plugins.workspace.interface import Glance


def test_a_folder_that_an_agent_named_is_one_word_of_the_advice() -> None:
    brief = Brief(
        "s-1", "p", "stub", "stub", "worktree", source="/src", path="/a b/s-1", branch="s-1"
    )
    words = way_out(Glance(Place.MOVED, "/tmp/x;touch pwned"), brief)
    assert "`git -C /src worktree move '/tmp/x;touch pwned' '/a b/s-1'`" in words
