"""What of a file needs trust: another command or host asks again, another
prompt or limit does not.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from textwrap import indent

import pytest

from ennio.cli.consent import told
from ennio.config.load import load
from ennio.config.model import Config, Demand
from ennio.config.trust_keys import PLUGINS, Trust
from ennio.config.trusted import command, refusal, trust, unknown
from ennio.machine.home import Home
from tests.config.writing import loaded

BASE = """\
port: 3000
host: 127.0.0.1
max_sessions: 3
notifiers: [{plugin: slack, name: team, config: {webhook_url: "${SLACK_WEBHOOK}"}}]
budgets: [{scope: global, limit_usd: 5}]
reactions: {ci-failed: {message: mend it, retries: 1}}
projects:
  - name: app
    repo: https://example.com/app.git
    path: /srv/app
    agent: command
    agent_config: {model: large, permissions: "--careful", passthrough: {run: "work $ENNIO_PROMPT_FILE", stdin: false}}
    prompt: be kind
    agent_rules: [write tests]
    max_sessions: 2
    post_create: [npm ci]
    env: {NODE_ENV: test}
    symlinks: [{source: .env, target: .env}]
    tracker_config: {plugin: linear, config: {api_key: "${LINEAR_API_KEY}", team: ENG}}
    scm_config: {plugin: github, config: {owner: me, repo: app, token: "${GITHUB_TOKEN}", draft: false}}
  - name: tool
    repo: /srv/tool.git
    path: /srv/tool
    scm_config: {plugin: local, config: {check_slots: 1, hub: /srv/tool.git, checks: [{name: tests, run: make test, timeout: 5m}]}}
    ssh_config: {host: build.example.com, username: me, auth: {type: agent}, connection_timeout: 5}
"""
FREE = [
    ("port: 3000", "port: 3001"),
    ("max_sessions: 3", "max_sessions: 4"),
    ("limit_usd: 5", "limit_usd: 50"),
    ("message: mend it, retries: 1", "message: mend it well, retries: 3"),
    ("model: large", "model: small"),
    ("stdin: false", "stdin: true"),
    ("prompt: be kind", "prompt: be quick"),
    ("[write tests]", "[write many tests]"),
    ("max_sessions: 2", "max_sessions: 9"),
    ("team: ENG", "team: OPS"),
    ("draft: false", "draft: true"),
    ("check_slots: 1", "check_slots: 2"),
    ("name: tests, run: make test, timeout: 5m", "name: all tests, run: make test, timeout: 9m"),
    ("connection_timeout: 5", "connection_timeout: 9"),
    ("    prompt: be kind\n", "    bots: [friend]\n    restart: {attempts: 2}\n"),
    ("post_create: [npm ci]", "post_create: []"),
    ("    symlinks: [{source: .env, target: .env}]\n", ""),
    ("port: 3000\n", "port: 3000\ncleanup: {done_after: 2d}\npoll: {forge: 9}\nx-mine: {a: b}\n"),
]
ASKS = [
    ("host: 127.0.0.1", "host: 0.0.0.0", "host"),
    ("port: 3000", "nats_url: nats://other.example.com", "nats_url"),
    ("port: 3000", "database_url: postgresql://other/ennio", "database_url"),
    ("port: 3000", "api_token: known-to-somebody", "api_token"),
    ("port: 3000", "cors_origins: ['https://other.example.com']", "cors_origins"),
    ("${SLACK_WEBHOOK}", "${SLACK_WEBHOOK_URL}", "notifiers[team]"),
    ("plugin: slack", "plugin: webhook", "notifiers[team]"),
    ("https://example.com/app.git", "https://example.org/app.git", "projects[app].repo"),
    ("path: /srv/app", "path: /home", "projects[app].path"),
    ("agent: command", "agent: mine", "projects[app].agent"),
    ('permissions: "--careful"', 'permissions: "--yolo"', "projects[app].agent"),
    ("work $ENNIO_PROMPT_FILE", "play $ENNIO_PROMPT_FILE", "projects[app].agent"),
    ("[npm ci]", "[npm ci, npm test]", "projects[app].post_create"),
    ("NODE_ENV: test", "NODE_OPTIONS: --require x", "projects[app].env"),
    ("source: .env", "source: /etc/shadow", "projects[app].symlinks"),
    ('"${LINEAR_API_KEY}"', '"${GITHUB_TOKEN}"', "projects[app].tracker"),
    ("team: ENG", "api_url: https://other.example.com", "projects[app].tracker"),
    ("owner: me", "owner: them", "projects[app].scm"),
    ("owner: me", "api_url: https://other.example.com/api/v3, owner: me", "projects[app].scm"),
    ('"${GITHUB_TOKEN}", draft', '"${SSH_PASSWORD}", draft', "projects[app].scm"),
    ("run: make test", "run: make all", "projects[tool].scm"),
    ("host: build.example.com", "host: other.example.com", "projects[tool].ssh_config"),
    ("username: me", "username: root", "projects[tool].ssh_config"),
    ("connection_timeout: 5", "host_key_policy: accept_all", "projects[tool].ssh_config"),
    ("name: tool", "name: kit", "projects[kit].repo"),
    ("port: 3000", "defaults: {agent: aider}", "projects[tool].agent"),
    ("port: 3000", "defaults: {runtime: process}", "projects[app].runtime"),
    ("port: 3000", "defaults: {workspace: clone}", "projects[app].workspace"),
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def changed(old: str, new: str) -> str:
    text = BASE.replace(old, new, 1)
    assert text != BASE
    return text


def asked(config: Config, home: Home) -> list[str]:
    return [demand.place for demand in unknown(config, home, {})]


@pytest.mark.parametrize(("old", "new"), FREE)
def test_another_prompt_or_limit_asks_nothing_again(
    old: str, new: str, tmp_path: Path, home: Home
) -> None:
    trust(loaded(tmp_path, BASE), home, {})
    assert asked(loaded(tmp_path, changed(old, new)), home) == []


@pytest.mark.parametrize(("old", "new", "place"), ASKS)
def test_another_command_or_host_asks_again_and_shows_what_is_new(
    old: str, new: str, place: str, tmp_path: Path, home: Home
) -> None:
    trust(loaded(tmp_path, BASE), home, {})
    new_ones = asked(loaded(tmp_path, changed(old, new)), home)
    assert place in new_ones
    name = place.split(".", maxsplit=1)[0]
    assert all(one.startswith(name) or old == "port: 3000" for one in new_ones), (
        "nothing else is asked again"
    )


def test_a_file_that_was_never_seen_asks_for_all_of_it(tmp_path: Path, home: Home) -> None:
    config = loaded(tmp_path, BASE)
    assert unknown(config, home, {}) == config.demands
    assert {demand.kind for demand in config.demands} == {
        "run",
        "talk to",
        "reach",
        "hand on",
        "let in",
    }


def test_the_order_of_projects_and_of_keys_asks_nothing(tmp_path: Path, home: Home) -> None:
    trust(loaded(tmp_path, BASE), home, {})
    head, one, two = BASE.partition("  - name: app")[0], *_projects()
    assert asked(loaded(tmp_path, head + two + one), home) == []


def _projects() -> tuple[str, str]:
    one, _, two = BASE.partition("projects:\n")[2].partition("  - name: tool")
    return one, "  - name: tool" + two


def test_a_project_that_is_taken_out_asks_nothing(tmp_path: Path, home: Home) -> None:
    trust(loaded(tmp_path, BASE), home, {})
    assert (
        asked(
            loaded(tmp_path, BASE.partition("projects:")[0] + "projects:\n" + _projects()[1]), home
        )
        == []
    )


def test_the_token_and_its_host_are_one_demand(tmp_path: Path, home: Home) -> None:
    """Without its address a trusted token would go to another host: that was never trusted."""
    there = changed("owner: me", "api_url: https://ghe.example.com/api/v3, owner: me")
    trust(loaded(tmp_path, there), home, {})
    assert asked(loaded(tmp_path, BASE), home) == ["projects[app].scm"]


def test_a_variable_is_told_by_its_name_and_its_value_asks_nothing(
    tmp_path: Path, home: Home
) -> None:
    environ = {
        "LINEAR_API_KEY": "one",
        "GITHUB_TOKEN": "two",
        "SLACK_WEBHOOK": "https://hooks.example.com/three",
    }
    config = loaded(tmp_path, BASE, environ)
    trust(config, home, {})
    assert (
        asked(loaded(tmp_path, BASE, {name: value + "x" for name, value in environ.items()}), home)
        == []
    )
    words = [word for demand in config.demands for word in demand.words]
    assert "token: ${GITHUB_TOKEN}" in words
    assert not [word for word in words if "two" in word or "three" in word]
    assert not [demand for demand in config.demands if "two" in demand.canonical]


def test_a_secret_that_stands_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    text = changed('"${LINEAR_API_KEY}"', "lin_literal").replace(
        '"${SLACK_WEBHOOK}"', "https://hooks.slack.com/services/T/literal"
    )
    text = text.replace("NODE_ENV: test", "MY_TOKEN: literal").replace(
        "port: 3000", "nats_url: nats://me:literal@n.example.com"
    )
    words = [word for demand in loaded(tmp_path, text).demands for word in demand.words]
    assert "webhook_url: https://hooks.slack.com/***" in words
    assert "nats://me:***@n.example.com" in words
    assert not [word for word in words if "literal" in word]


def test_what_is_left_to_the_defaults_is_told_as_it_holds(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "defaults: {agent: aider}\nprojects: [{name: app, repo: 'https://github.com/me/app', "
        "path: .}]\n",
    )
    held = {demand.place: demand.words for demand in config.demands}
    assert held["projects[app].agent"] == ("aider",)
    assert held["projects[app].scm"][:2] == ("github", "at github.com")
    assert "GH_TOKEN" in held["projects[app].scm"][2]


def test_a_link_from_elsewhere_to_a_trusted_file_asks_for_the_folder_its_paths_mean(
    tmp_path: Path, home: Home
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "theirs").mkdir()
    trust(loaded(tmp_path / "mine", BASE), home, {})
    link = tmp_path / "theirs" / "ennio.yaml"
    link.symlink_to(tmp_path / "mine" / "ennio.yaml")
    environ = dict.fromkeys(("LINEAR_API_KEY", "GITHUB_TOKEN", "SLACK_WEBHOOK"), "x")
    assert asked(load(link, environ), home) == ["the folder of relative paths"]
    (tmp_path / "same").symlink_to(tmp_path / "mine")
    assert asked(load(tmp_path / "same" / "ennio.yaml", environ), home) == []


def test_an_alias_is_seen_where_it_is_used(tmp_path: Path, home: Home) -> None:
    plain = "projects:\n" + indent(
        "- name: app\n  repo: ./r\n  path: .\n  post_create: [make]\n", "  "
    )
    trust(loaded(tmp_path, plain), home, {})
    aliased = (
        "x-hooks: &hooks [%s]\nprojects:\n  - {name: app, repo: ./r, path: ., post_create: "
        "*hooks}\n"
    )
    assert asked(loaded(tmp_path, aliased % "make"), home) == []
    assert asked(loaded(tmp_path, aliased % "make evil"), home) == ["projects[app].post_create"]


def test_a_demand_hides_what_it_is_compared_by() -> None:
    assert "hush" not in repr(Demand("run", "x", (), "hush"))


SETTINGS = [
    (slot, name, key, kind) for (slot, name), keys in PLUGINS.items() for key, kind in keys.items()
]


@pytest.mark.parametrize(("slot", "name", "key", "kind"), SETTINGS)
def test_a_plugin_s_setting_asks_again_exactly_when_it_is_said_to(
    slot: str, name: str, key: str, kind: Trust, tmp_path: Path
) -> None:
    def compared(value: str) -> set[str]:
        settings = f"{{{key}: [{{run: {value}}}]}}" if key == "checks" else f"{{{key}: {value}}}"
        chosen = {
            "agent": f"agent: {name}, agent_config: {{passthrough: {settings}}}",
            "scm": f"scm_config: {{plugin: {name}, config: {settings}}}",
            "tracker": f"tracker_config: {{plugin: {name}, config: {settings}}}",
            "notifier": "",
        }[slot]
        told = f"{{plugin: {name}, name: ops, config: {settings}}}" if slot == "notifier" else ""
        text = f"notifiers: [{told}]\nprojects: [{{name: a, repo: ./a, path: ., {chosen}}}]\n"
        config = loaded(tmp_path, text)
        return {demand.canonical for demand in config.demands}

    assert (compared("one") != compared("two")) == (kind is not Trust.FREE)


def test_whatever_is_told_to_a_plugin_of_somebody_else_asks_again(
    tmp_path: Path, home: Home
) -> None:
    text = "notifiers: [{plugin: theirs, name: n, config: {anything: %s}}]\n"
    text += (
        "projects: [{name: a, repo: ./a, path: ., agent: theirs, agent_config: {passthrough: {b: "
        "1}}}]\n"
    )
    trust(loaded(tmp_path, text % 1), home, {})
    assert asked(loaded(tmp_path, text % 2), home) == ["notifiers[n]"]
    assert asked(loaded(tmp_path, (text % 1).replace("b: 1", "b: 2")), home) == [
        "projects[a].agent"
    ]


def test_the_words_of_a_command_are_told_as_one_line_of_a_shell(tmp_path: Path) -> None:
    argv = ["sh", "-c", "cat >> 'my notices'; echo >> it", "--to", "https://me:hush@example.com"]
    text = changed(
        '{plugin: slack, name: team, config: {webhook_url: "${SLACK_WEBHOOK}"}}',
        f"{{plugin: command, name: team, config: {{argv: {json.dumps(argv)}}}}}",
    )
    demand = next(one for one in loaded(tmp_path, text).demands if one.place == "notifiers[team]")
    plugin, line = demand.words
    assert plugin == "command"
    assert line.startswith("argv: sh -c 'cat >> ")
    assert shlex.split(line.removeprefix("argv: ")) == [*argv[:4], "https://me:***@example.com"]


def test_the_lines_of_hooks_stay_lines_of_their_own(tmp_path: Path) -> None:
    text = changed("[npm ci]", "[npm ci, npm test]")
    held = {demand.place: demand.words for demand in loaded(tmp_path, text).demands}
    assert held["projects[app].post_create"] == ("npm ci", "npm test")


def test_what_a_refusal_only_counts_is_told_by_the_command_it_names(
    tmp_path: Path, home: Home
) -> None:
    config = loaded(tmp_path, BASE)
    new = unknown(config, home, {})
    said = refusal(config.source, new)
    assert f"and {len(new) - 3} more" in said
    assert f"{command(config.source)} --show" in said
    shown = "\n".join(told(new))  # what that command prints
    assert all(f"    {demand.place}: " in shown for demand in new)
    assert all(
        line in shown for demand in new for word in demand.words for line in word.split("\n")
    )
