"""No secret is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ennio.config.load import load
from ennio.config.model import Config
from ennio.config.secrets import is_secret, masked, secrets
from ennio.model.printable import MASK
from tests.config.writing import loaded, problems

TEXT = """\
    api_token: S1-api
    database_url: postgresql://me:S2-data%21base@db.example/ennio
    nats_url: nats://S3-nats@n.example:4222
    notifiers:
      - {plugin: slack, name: slack, config: {webhook_url: https://hooks.example/S4-hook}}
      - {plugin: webhook, name: hook, config: {url: https://hooks.example/S5-hook, headers: {Authorization: Bearer S6-auth}}}
    projects:
      - name: app
        repo: https://bot@example.com/app.git
        path: /srv/app
        tracker_config: {plugin: linear, config: {api_key: S8-linear, team: ENG, tokens: [S9-one]}}
        scm_config: {plugin: github, config: {token: S10-github, api_url: https://ghe.example/api}}
        agent_config: {model: opus, passthrough: {max_tokens: 4000, openai-api-key: S11-agent, pin: 1234, secret: 424242}}
        env: {NPM_TOKEN: S12-npm, MODE: production}
      - name: far
        repo: git@example.com:x/far.git
        path: /srv/far
        ssh_config:
          host: h
          username: deploy
          auth: {type: password, password: S13-ssh}
          node_config: {auth_token: S14-node}
      - name: further
        repo: git@example.com:x/further.git
        path: /srv/further
        ssh_config: {host: other, username: deploy, auth: {type: key, path: /k, passphrase: S15-key}}
"""
NEEDLES = [f"S{number}-" for number in range(1, 16) if number != 7] + ["424242"]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return loaded(tmp_path, TEXT)


def test_every_secret_is_known(config: Config) -> None:
    assert secrets(config) == {
        "S1-api", "S2-data%21base", "S2-data!base", "S3-nats", "https://hooks.example/S4-hook", "https://hooks.example/S5-hook",
        "Bearer S6-auth",
        "S8-linear", "S9-one", "S10-github", "S11-agent", "S12-npm", "S13-ssh", "S14-node", "S15-key", "424242",
    }  # fmt: skip


@pytest.mark.parametrize("needle", NEEDLES)
def test_no_secret_is_shown_or_in_a_repr(config: Config, needle: str) -> None:
    assert needle not in json.dumps(masked(config))
    assert needle not in repr(config)


def test_what_is_no_secret_is_shown(config: Config) -> None:
    shown = masked(config)
    app = shown["projects"][0]
    assert app["repo"] == "https://bot@example.com/app.git"
    assert app["agent_config"]["passthrough"] == {
        "max_tokens": 4000,
        "openai-api-key": MASK,
        "pin": 1234,
        "secret": MASK,
    }
    assert app["forge"]["config"]["api_url"] == "https://ghe.example/api"
    assert app["env"] == {"NPM_TOKEN": MASK, "MODE": MASK}
    assert shown["projects"][1]["repo"] == "git@example.com:x/far.git"
    assert shown["projects"][1]["ssh"]["auth"] == {
        "type": "password",
        "path": None,
        "passphrase": None,
        "password": MASK,
    }
    assert shown["nats_url"] == f"nats://{MASK}@n.example:4222"
    assert shown["notifiers"][1]["config"]["url"] == MASK


def test_showing_a_configuration_does_not_change_it(config: Config) -> None:
    masked(config)
    assert config.projects[0].env["NPM_TOKEN"] == "S12-npm"
    assert config.notifiers[0].config["webhook_url"].endswith("S4-hook")


def test_a_configuration_without_secrets_has_none(tmp_path: Path) -> None:
    assert (
        secrets(load(Path(__file__, "../../../examples/minimal.yaml").resolve(), {})) == frozenset()
    )
    assert masked(loaded(tmp_path, "port: 0"))["api_token"] is None


@pytest.mark.parametrize(
    "login", ["bot:hush", ":hush", "ghp_hush1234", "x:$%7BTOKEN%7D", "oauth2:${REPO_TOKEN}"]
)
def test_a_repository_s_address_carries_no_password(tmp_path: Path, login: str) -> None:
    text = f"projects:\n  - {{name: a, repo: 'https://{login}@example.com/a.git', path: /a}}\n"
    told = problems(tmp_path, text, {"REPO_TOKEN": "hush5678"})
    assert len(told) == 1
    assert "projects[0].repo" in told[0]
    assert "credential helper" in told[0]
    assert "hush" not in told[0]


@pytest.mark.parametrize(
    "place",
    [
        "post_create: ['npm config set token ${NPM_TOKEN}']",
        "scm_config: {plugin: local, config: {checks: [{name: a, run: 'curl -u ${NPM_TOKEN} x'}]}}",
        "agent_config: {passthrough: {argv: [tool, --key, '${NPM_TOKEN}']}}",
        "agent_config: {permissions: '--key ${NPM_TOKEN:-x}'}",
        "prompt: 'Log in with ${NPM_TOKEN}.'",
        "agent_rules: ['Log in with ${NPM_TOKEN}.']",
        "reactions: {ci-failed: {message: 'Log in with ${NPM_TOKEN}.'}}",
    ],
)
def test_a_variable_that_is_a_secret_by_its_name_is_put_neither_on_a_command_line_nor_among_words(
    tmp_path: Path, place: str
) -> None:
    text = f"projects:\n  - name: a\n    repo: /a\n    path: /a\n    {place}\n"
    told = problems(tmp_path, text, {"NPM_TOKEN": "hush5678"})
    assert len(told) == 1
    assert "the value of NPM_TOKEN on a command line" in told[0]
    assert "env: {NPM_TOKEN: " in told[0]
    assert "hush" not in told[0]


def test_such_a_variable_is_a_secret_wherever_else_it_is_put(tmp_path: Path) -> None:
    choice = "scm_config: {plugin: own, config: {place: 'https://x/${NPM_TOKEN}/${USER}'}}"
    text = (
        f"projects:\n  - {{name: a, repo: /a, path: /a, {choice}, env: {{N: '${{NPM_TOKEN}}'}}}}\n"
    )
    config = loaded(tmp_path, text, {"NPM_TOKEN": "hush5678", "USER": "somebody"})
    assert config.projects[0].forge is not None
    assert config.projects[0].forge.config["place"] == "https://x/hush5678/somebody"
    assert secrets(config) == {"hush5678"}
    assert masked(config)["projects"][0]["forge"]["config"]["place"] == f"https://x/{MASK}/somebody"
    assert "hush" not in json.dumps(masked(config))


def test_a_wrong_secret_is_not_quoted(tmp_path: Path) -> None:
    text = (
        "api_token: hush 1\nprojects:\n  - {name: a, repo: './a', path: /a, scm_config: {plugin: "
        "x, config: {token: 0777}}}\n"
    )
    told = problems(tmp_path, text)
    assert len(told) == 2
    assert "hush" not in str(told)
    assert "0777" not in str(told)


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "GITHUB_TOKEN",
        "authToken",
        "webhook_url",
        "api-key",
        "AWS_SECRET_ACCESS_KEY",
        "password",
        "SENTRY_DSN",
    ],
)
def test_names_of_secrets(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "max_tokens",
        "tokenizer",
        "path",
        "author",
        "keyboard",
        "owner",
        "repo",
        "monkey",
        "secretary",
    ],
)
def test_names_of_other_things(key: str) -> None:
    assert not is_secret(key)
