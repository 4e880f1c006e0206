"""What a person is advised to type about a working copy can be typed as it stands."""

from __future__ import annotations

from pathlib import Path

from ennio.actors.messages import WatchWorkspace, WorkspaceObserved
from ennio.actors.observations import _way_out
from ennio.model.facts import Place


def test_a_folder_that_an_agent_named_is_one_word_of_the_advice() -> None:
    place = WatchWorkspace("worktree", Path("/a b/s-1"), "s-1", Path("/src"))
    words = _way_out(WorkspaceObserved(Place.MOVED, "/tmp/x;touch pwned"), place, "s-1")
    assert "`git -C /src worktree move '/tmp/x;touch pwned' '/a b/s-1'`" in words
