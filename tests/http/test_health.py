"""The supervisor as machines see it that watch over it."""

from __future__ import annotations

import pytest

from ennio.http.app import create_app
from tests.http.api import TOKEN, Api
from tests.http.small_orchestrator import SmallOrchestrator


def test_without_its_root_it_lives_and_is_not_ready(api: Api) -> None:
    refused = api.get("/health/ready", 503)
    assert "root: no actor has begun yet" in refused["error"]
    assert api.get("/health") == "ok"


@pytest.mark.parametrize("path", ["/health/ready", "/status"])
def test_only_whether_it_lives_is_told_without_a_token(
    orchestrator: SmallOrchestrator, path: str
) -> None:
    nobody = Api(create_app(orchestrator, TOKEN))
    nobody.get(path, 401, headers={"Authorization": "Bearer wrong"})
    assert nobody.get("/health", headers={"Authorization": ""}) == "ok"
