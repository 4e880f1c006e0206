"""Where a notice goes, and where it leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.config.model import Config, Defaults, Project, Route
from ennio.config.reactions import KEYS
from ennio.model.session import Priority
from ennio.policy import notices

HERE = Path("/x/ennio.yaml")


def _config(**more: object) -> Config:
    return Config(source=HERE, directory=HERE.parent, **more)


def _project(**more: object) -> Project:
    return Project(id="shop", name="shop", repo="./a", path=Path("/a"), **more)


@pytest.mark.parametrize(
    ("priority", "channels"),
    [(Priority.INFO, ("bell",)), (Priority.URGENT, ("horn",)), (Priority.CRITICAL, ("horn",))],
)
def test_a_route_is_none_for_what_is_below_its_priority(
    priority: Priority, channels: tuple[str, ...]
) -> None:
    config = _config(
        defaults=Defaults(notifiers=("bell",)),
        notification_routing={"ci-failed": Route(("horn",), Priority.URGENT)},
    )
    assert notices.routed(config, _project(), "ci-failed", priority) == channels


def test_the_projects_route_comes_before_the_global_one_and_its_channels_before_the_defaults() -> (
    None
):
    config = _config(
        defaults=Defaults(notifiers=("bell",)),
        notification_routing={"ci-failed": Route(("horn",)), "anomaly": Route(("gong",))},
    )
    project = _project(notifiers=("drum",), notification_routing={"ci-failed": Route(("fife",))})

    def routed(key: str | None, of: Project | None = project) -> tuple[str, ...]:
        return notices.routed(config, of, key, Priority.ACTION)

    assert routed("ci-failed") == ("fife",)
    assert routed("anomaly") == ("gong",)
    assert routed("agent-stuck") == ("drum",)
    assert routed("ci-failed", _project()) == ("horn",)
    assert routed("agent-stuck", None) == routed(None, None) == ("bell",)


def test_a_project_that_names_no_channel_at_all_has_none() -> None:
    config = _config(defaults=Defaults(notifiers=("bell",)))
    assert notices.routed(config, _project(notifiers=()), "anomaly", Priority.URGENT) == ()


def test_a_channel_is_named_once_however_often_a_route_names_it() -> None:
    config = _config(notification_routing={"ci-failed": Route(("bell", "horn", "bell"))})
    assert notices.routed(config, None, "ci-failed", Priority.INFO) == ("bell", "horn")


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({"port": 3000}, "http://127.0.0.1:3000"),
        ({"port": 80, "host": "0.0.0.0"}, "http://127.0.0.1:80"),  # noqa: S104 - nothing is bound
        ({"port": 80, "host": "::"}, "http://[::1]:80"),
        ({"port": 80, "host": "10.0.0.7"}, "http://10.0.0.7:80"),
        ({"public_url": "https://ennio.example/x/"}, "https://ennio.example/x"),
    ],
)
def test_links_lead_to_where_a_browser_finds_it(settings: dict[str, object], base: str) -> None:
    assert notices.base(_config(**settings)) == base


def test_a_link_leads_to_the_very_session_and_to_what_it_is_about() -> None:
    def page(key: str | None, session: str = "s-1") -> str:
        return notices.page("http://x", session, "shop", key)

    assert page("agent-needs-input") == "http://x/s/s-1/terminal"
    assert page("ci-failed") == "http://x/s/s-1/pr"
    assert page("agent-exited") == page(None) == "http://x/s/s-1"
    assert page("all-complete") == page("ci-failed", "") == "http://x/p/shop"


def test_every_reaction_has_a_title_of_its_own() -> None:
    titles = {notices.title("shop", key) for key in KEYS}
    assert len(titles) == len(KEYS)
    assert all(key not in title for key in KEYS for title in titles if "-" in key)
    assert notices.title("shop", "of a plugin") == "shop: of a plugin"
    escalated = notices.title("shop", "ci-failed", escalated=True)
    assert escalated == "shop: checks fail, and nobody has mended it"


def test_of_many_notices_each_is_a_line_that_can_be_read() -> None:
    lines = notices.together(["short\nand more", "x" * 100_000, ""]).splitlines()
    assert (lines[0], lines[2]) == ("- short", "- ")
    assert (len(lines[1]), lines[1][-1]) == (202, "\N{HORIZONTAL ELLIPSIS}")
