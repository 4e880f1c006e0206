"""A report of a fault holds what helps, and no secret, wherever in the configuration one may stand."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ennio import logs
from ennio.config.model import AgentConfig, Config, NotifierConfig, PluginChoice, Project
from ennio.http.debug_dump import dump
from ennio.model.printable import SHORTEST_SECRET
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"),
    min_size=SHORTEST_SECRET + 2,
    max_size=40,
).map(lambda text: f"§{text}§")
"""Marked, so that none is a word of the document by accident."""


def _config(words: list[str]) -> Config:
    """A secret at each place that may hold one."""
    token, webhook, key, password, phrase, deep = words
    project = Project(
        id="app",
        name="app",
        repo="https://me@example.org/app.git",
        path=Path("/src/app"),
        forge=PluginChoice("github", {"token": token, "deep": {"list": [{"api_key": deep}]}}),
        agent_config=AgentConfig(passthrough={"auth-token": phrase, "level": "high"}),
        env={"SOME_API_KEY": key, "PLAIN": key},
    )
    return Config(
        source=Path("/src/ennio.yaml"),
        directory=Path("/src"),
        projects=(project,),
        notifiers=(NotifierConfig("slack", "slack", {"webhook_url": webhook}),),
        api_token=password,
        hidden=frozenset({deep}),
    )


@settings(deadline=None)
@given(st.lists(SECRETS, min_size=6, max_size=6), SECRETS, SECRETS)
def test_no_secret_of_the_configuration_or_the_environment_is_in_a_report(
    words: list[str], token: str, cookie: str
) -> None:
    environment = {"GITHUB_TOKEN": token, "MY_COOKIE": cookie, "ENNIO_HOME": "/home/me", "X": "y"}
    said = {
        "errors": [f"refused {word} twice" for word in (*words, token, cookie)],
        "actors": {word: {"error": f"{word!r} {json.dumps(word)}"} for word in (*words, token)},
        "price": Decimal("1.5"),
    }
    document = dump(_config(words), environment, said)
    text = json.dumps(document)
    for word in (*words, token, cookie):
        for form in (word, json.dumps(word)[1:-1], repr(word)[1:-1]):
            assert form not in text, form
            assert form not in str(document), form
    assert document["environment"] == ["ENNIO_HOME"]
    assert (
        document["configuration"]["projects"][0]["agent_config"]["passthrough"]["level"] == "high"
    )


def test_a_report_without_the_redaction_would_be_noticed() -> None:
    words = [f"§secret-{number}§" for number in range(6)]
    said = {"errors": [words[0]]}
    assert words[0] in json.dumps(said, ensure_ascii=False)
    assert words[0] not in json.dumps(dump(_config(words), {}, said), ensure_ascii=False)


def test_what_this_process_was_told_is_secret_too() -> None:
    logs.redact.learn({"canary-of-the-process"})
    assert "canary-of-the-process" not in json.dumps(dump(None, {}, {"x": "canary-of-the-process"}))


def test_the_api_tells_what_is_inside(
    api: Api, orchestrator: SmallOrchestrator, session_id: str
) -> None:
    told: dict[str, Any] = api.get("/debug")
    assert {"versions", "configuration", "actors", "greenlets", "errors", "database"} <= set(told)
    assert told["database"]["last_seq"] == orchestrator.store.events.last_seq()
    assert told["versions"]["ennio"]
    text = json.dumps(told)
    assert "s3cret" not in text
    assert "Do it." not in text, "a prompt is a person's words"
    assert orchestrator.config.api_token is None
    changed = replace(orchestrator.config, api_token="canary-token")
    assert "canary-token" not in json.dumps(dump(changed, {}, told | {"x": "canary-token"}))
