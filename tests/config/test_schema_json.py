"""The schema for editors says what the loader says, as far as single fields go."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from ennio.config import yaml_source
from ennio.config.schema_json import json_schema
from tests.config.test_documented import DOCUMENTED, EXAMPLES, completed
from tests.config.writing import problems

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
PROJECT = "projects: [{name: a, repo: ./a, path: /a, %s}]"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_every_reference_leads_somewhere() -> None:
    schema = json_schema()
    text = str(schema)
    for name in schema["$defs"]:
        assert f"#/$defs/{name}'" in text, name


@pytest.mark.parametrize(
    "path", [*DOCUMENTED, *EXAMPLES], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_example_is_valid(path: Path) -> None:
    VALIDATOR.validate(completed(yaml_source.read(path.read_bytes()).data))


WRONG = [
    "prot: 3000",
    "port: 99999",
    "port: -1",
    "port: true",
    "port: '08'",
    "port: ~",
    "ready_threshold: soon",
    "ready_threshold: [1]",
    "host: 1",
    "host: ''",
    "defaults: {x-mine: 1}",
    "api_token: 12345",
    "projects: {}",
    "projects: [app]",
    "projects: [~]",
    "projects: [{name: a, repo: ./a}]",
    PROJECT % "agnet: aider",
    PROJECT % "project_id: a.b",
    PROJECT % "session_prefix: 'a:b'",
    PROJECT % "max_sessions: many",
    PROJECT % "post_create: npm ci",
    PROJECT % "post_create: [~]",
    PROJECT % "env: {A-B: x}",
    PROJECT % "env: {ENNIO_X: x}",
    PROJECT % "env: {A: 1.5}",
    PROJECT % "symlinks: [{source: a, target: ../b}]",
    PROJECT % "symlinks: [{source: a, target: /b}]",
    PROJECT % "symlinks: [{source: a}]",
    PROJECT % "tracker_config: {config: {}}",
    PROJECT % "reactions: {ci-fail: {}}",
    PROJECT % "reactions: {ci-failed: ~}",
    PROJECT % "reactions: {ci-failed: {action: shout}}",
    PROJECT % "reactions: {ci-failed: {retries: 1.5}}",
    PROJECT % "ssh_config: {host: h, username: u}",
    PROJECT % "ssh_config: {host: h, username: u, auth: {}}",
    PROJECT % "ssh_config: {host: h, username: u, auth: {type: key}}",
    PROJECT % "ssh_config: {host: h, username: u, auth: {type: agent, password: x}}",
    PROJECT % "ssh_config: {host: h, username: u, auth: {type: agent}, port: 0}",
    PROJECT % "ssh_config: {host: h, username: u, auth: {type: agent}, max_sessions: -1}",
    PROJECT % "ssh_config: {host: h, username: u, auth: {type: agent}, min_free_memory: 512M}",
    "defaults: [tmux]",
    "defaults: {agent: 1}",
    "notifiers: [{plugin: slack}]",
    "notification_routing: {ci-fail: [desktop]}",
    "notification_routing: {ci-failed: desktop}",
    "cors_origins: ['*']",
    "nats_url: http://x",
    "min_free_memory: 512M",
    "budgets: [{scope: globe, limit_usd: 1}]",
    "budgets: [{limit_usd: 1}]",
    "budgets: [{scope: global, limit_tokens: 1.5}]",
    "budgets: [{scope: global, limit_usd: -1}]",
    "budgets: [{scope: global, limit_usd: 1, warn_at: 80}]",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_the_loader_refuses_in_shape_the_schema_refuses_too(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text)
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


RIGHT = [
    "{}",
    "port: '${PORT}'",
    "port: '8080'",
    "ready_threshold: 1.5s",
    "defaults: ~",
    "x-mine: &mine {anything: [1]}",
    PROJECT % "x-mine: [1]",
    "nats_url: ~",
    "cleanup: {merged_after: ~, done_after: 2d}",
    "min_free_memory: 1GiB",
    "budgets: [{scope: global, limit_usd: '2.50', warn_at: 1}]",
    "cors_origins: ['${ORIGIN}']",
    PROJECT % "env: {PORT: 8080, A: ''}, symlinks: ~, max_sessions: 0",
    PROJECT % "reactions: {ci-failed: {message: ~, enabled: off}}",
    PROJECT % "agent_config: {passthrough: {a: [1, {b: ~}]}}",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_loader_takes_the_schema_takes_too(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text, {"PORT": "8080", "ORIGIN": "https://a.example"}) == []
    VALIDATOR.validate(yaml.safe_load(text))


def test_defaults_and_meanings_are_told() -> None:
    schema = json_schema()
    assert schema["properties"]["port"]["default"] == 3000
    assert schema["properties"]["ready_threshold"]["default"] == "2s"
    assert schema["properties"]["min_free_memory"]["default"] == "512MiB"
    assert schema["$defs"]["Budget"]["properties"]["on_exceed"]["default"] == "pause"
    assert all(
        entry["description"]
        for part in schema["$defs"].values()
        for entry in part["properties"].values()
    )


def test_every_default_that_is_told_is_valid() -> None:
    schema = json_schema()
    for part in [schema, *schema["$defs"].values()]:
        for key, entry in part["properties"].items():
            if "default" in entry:
                whole = {"$defs": schema["$defs"], **entry}
                assert jsonschema.Draft202012Validator(whole).is_valid(entry["default"]), key
