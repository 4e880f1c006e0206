"""What becomes part of an address stays one part of it, whatever it is called."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.config.model import Project
from ennio.model.branch import check_branch
from ennio.model.clock import ManualClock
from ennio.model.errors import ConfigError, Invalid
from ennio.plugins.forge import github as forge
from ennio.plugins.forge.github.forge import GitHubForge
from ennio.plugins.github.address import PUBLIC, url
from tests.github import published
from tests.github.conftest import context
from tests.github.standin.hub import Hub
from tests.github.standin.server import Server

ODD = "#%?&+;=@!'\"$ ü漢/.-_ab42"


def _is_branch(name: str) -> bool:
    try:
        check_branch(name)
    except Invalid:
        return False
    return True


branches = st.text(ODD, min_size=1, max_size=12).filter(_is_branch)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.integers(0),
        max_size=5,
    )
)
def test_every_part_arrives_as_it_was_called(parts: list[str | int]) -> None:
    if any(part in (".", "..") for part in parts):
        with pytest.raises(Invalid, match="made of dots"):
            url(PUBLIC, tuple(parts))
        return
    where = urlsplit(url(PUBLIC, tuple(parts), {"state": "open"}))
    assert (where.hostname, where.query, where.fragment) == ("api.github.com", "state=open", "")
    assert [unquote(part) for part in where.path.split("/")[1:]] == [str(part) for part in parts]


@settings(max_examples=12, deadline=None)
@given(name=branches)
def test_after_a_merge_exactly_its_own_branch_is_gone(name: str) -> None:
    with tempfile.TemporaryDirectory() as directory, served(Path(directory)) as (hub, forge):
        head = hub.push(name, {"a.txt": "1\n"})
        for other in ("fix", "a", "aA", unquote(name), name.partition("#")[0]):
            hub.git(
                "update-ref", f"refs/heads/{other}", head, check=False
            )  # where git lets it stand beside the other
        before = set(hub.heads())
        forge.merge(forge.open(name, "main", "T", "").number, head)
        assert set(hub.heads()) == before - {name}


@pytest.mark.parametrize(
    ("name", "neighbour"), [("fix#42", "fix"), ("a%41", "aA"), ("ü/漢", "u"), ("x%2Fy", "x/y")]
)
def test_incident_another_branch_was_deleted(name: str, neighbour: str, tmp_path: Path) -> None:
    with served(tmp_path) as (hub, forge):
        hub.push(neighbour, {"another.txt": "somebody else's work\n"})
        head = hub.push(name, {"a.txt": "1\n"})
        forge.merge(hub.open(name).number, head)
        assert set(hub.heads()) == {"main", neighbour}


@contextmanager
def served(directory: Path) -> Iterator[tuple[Hub, GitHubForge]]:
    """A hub and a forge that deletes merged branches; whatever was asked is valid
    by the published schemas.
    """
    clock = ManualClock()
    published.openapi()
    published.graphql_schema()
    hub = Hub(directory / "hub", clock)
    server = Server(hub)
    try:
        yield hub, forge.build(context(directory, clock, server, {"delete_branch": True}))
    finally:
        server.close()
    assert hub.invalid == []


@pytest.mark.parametrize(
    "settings", [{"repo": "acme/shop"}, {"owner": ".."}, {"owner": "a#b"}, {"repo": "shop?x"}]
)
def test_an_owner_and_a_repository_that_cannot_be_names_are_refused(
    settings: dict[str, str],
) -> None:
    project = Project(id="shop", name="shop", repo="git@github.com:acme/shop.git", path=Path())
    with pytest.raises(ConfigError, match="is no name"):
        forge.parse(settings, project)
