"""What ``ennio doctor`` finds out about GitHub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ennio.cli.doctor.finding import Level
from ennio.cli.doctor.github import service
from ennio.config.model import PluginChoice, Project
from tests.github.standin.server import Server


def place(server: Server, **settings: Any) -> Project:
    given = {"api_url": server.api, "token": server.hub.token, **settings}
    choice = PluginChoice("github", given)
    return Project(
        id="shop",
        name="shop",
        repo="git@github.com:acme/shop.git",
        path=Path("shop"),
        forge=choice,
        tracker=choice,
    )


def test_doctor_tells_whether_the_token_opens_the_repository(server: Server) -> None:
    for slot in ("scm", "tracker"):
        found = service(place(server), slot)
        assert found is not None
        assert (found.level, "acme/shop" in found.what) == (Level.FINE, True)
        wrong = service(place(server, token="stale"), slot)
        assert wrong is not None
        assert (wrong.level, "refuses the token" in wrong.what) == (Level.BROKEN, True)


def test_doctor_names_wrong_settings_and_an_unreachable_server(server: Server) -> None:
    typo = service(place(server, toke="x"), "scm")
    assert typo is not None
    assert (typo.level, "did you mean `token`?" in typo.what) == (Level.BROKEN, True)
    away = service(place(server, api_url="http://127.0.0.1:9"), "scm")
    assert away is not None
    assert away.level is Level.WARNING
