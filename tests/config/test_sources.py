"""Each value is told with where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.load import load
from ennio.config.secrets import masked
from ennio.config.sources import ConfigValue, ValueSource, sources
from ennio.model.codec import shown
from tests.config.test_secrets import NEEDLES
from tests.config.test_secrets import TEXT as SECRETS
from tests.config.writing import loaded

TEXT = """\
    port: 0
    api_token: ${ENNIO_API_TOKEN}
    defaults: {agent: scripted, notifiers: [desktop]}
    retention: {disk: 2GiB}
    notifiers:
      - {plugin: ntfy, name: phone, config: {topic: my-topic}, quiet_hours: {from: "22:00", to: "7:30"}}
    budgets:
      - {scope: global, period: daily, limit_usd: "${LIMIT:-25}"}
    reactions:
      ci-failed: {retries: 4}
    projects:
      - name: My App
        repo: https://github.com/a/b.git
        path: ~/x
        env: {MODE: production}
        reactions:
          agent-stuck: {threshold: 5m}
    """


def _values(folder: Path, text: str = TEXT, **environ: str) -> dict[str, ConfigValue]:
    given = {"HOME": "/home/someone", "ENNIO_API_TOKEN": "token-of-the-api", **environ}
    return {one.path: one for one in sources(loaded(folder, text, given)).values}


@pytest.mark.parametrize(
    ("path", "value", "source", "line", "variables", "follows"),
    [
        ("port", 0, "file", 1, (), None),
        ("host", "127.0.0.1", "default", None, (), None),
        ("api_token", "***", "environment", 2, ("ENNIO_API_TOKEN",), None),
        ("retention.disk", "2GiB", "file", 4, (), None),
        ("retention.logs_after", "30d", "default", None, (), None),
        ("notifiers[0].config.topic", "***", "file", 6, (), None),
        ("notifiers[0].quiet_hours.from", "22:00", "file", 6, (), None),
        ("notifiers[0].quiet_hours.to", "07:30", "file", 6, (), None),
        ("notifiers[1].plugin", "desktop", "derived", None, (), "where it is named"),
        ("budgets[0].limit_usd", "25", "file", 8, (), None),
        ("reactions.ci-failed.retries", 4, "file", 10, (), None),
        ("projects[0].project_id", "my-app", "derived", None, (), "projects[0].name"),
        ("projects[0].agent", "scripted", "file", 3, (), "defaults.agent"),
        ("projects[0].scm_config.plugin", "github", "derived", None, (), "projects[0].repo"),
        ("projects[0].env.MODE", "***", "file", 15, (), None),
        (
            *("projects[0].reactions.ci-failed.retries", 4, "file", 10, ()),
            "reactions.ci-failed.retries",
        ),
        ("projects[0].reactions.agent-stuck.threshold", "5m", "file", 17, (), None),
        ("projects[0].reactions.agent-stuck.retries", 0, "default", None, (), None),
        ("database_url", "sqlite:/srv/it.db", "environment", None, ("DATABASE_URL",), None),
    ],
)
def test_a_value_names_its_line_its_variable_or_the_key_it_follows(
    tmp_path: Path,
    path: str,
    value: object,
    source: str,
    line: int | None,
    variables: tuple[str, ...],
    follows: str | None,
) -> None:
    found = _values(tmp_path, DATABASE_URL="sqlite:/srv/it.db")[path]
    assert found == ConfigValue(path, value, ValueSource(source), line, variables, follows)


def test_a_variable_that_is_set_is_named_and_its_default_is_the_files(tmp_path: Path) -> None:
    assert _values(tmp_path, LIMIT="30")["budgets[0].limit_usd"].variables == ("LIMIT",)
    assert _values(tmp_path)["budgets[0].limit_usd"].variables == ()


def test_what_the_file_says_itself_follows_nothing(tmp_path: Path) -> None:
    text = dedent(TEXT).replace("    path: ~/x\n", "    path: ~/x\n    agent: aider\n")
    found = _values(tmp_path, text)["projects[0].agent"]
    assert (found.value, found.line, found.follows) == ("aider", 15, None)


@pytest.mark.parametrize("needle", NEEDLES)
def test_no_secret_is_in_it(needle: str) -> None:
    config = load(Path("/x/ennio.yaml"), {}, content=dedent(SECRETS).encode())
    assert needle not in json.dumps(shown(sources(config)))


def test_every_value_that_is_shown_at_all_has_a_source(tmp_path: Path) -> None:
    config = loaded(tmp_path, TEXT)
    paths = {one.path.partition(".")[0].partition("[")[0] for one in sources(config).values}
    assert paths == set(masked(config)) - {"source", "directory"}


@given(
    port=st.integers(0, 65535),
    sessions=st.integers(0, 1000),
    rules=st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), max_size=3
    ),
    lead=st.integers(0, 30),
)
def test_a_line_is_that_of_the_file_whatever_stands_above_it(
    port: int, sessions: int, rules: list[str], lead: int
) -> None:
    rules = [rule.replace("${", "").strip() or "x" for rule in rules]
    rest = (
        yaml.safe_dump({"max_sessions": sessions})
        + "projects:\n"
        + yaml.safe_dump(
            [{"name": "app", "repo": "https://h.example/r.git", "path": "/p", "agent_rules": rules}]
        )
    )
    text = f"{'# words' + chr(10)}" * lead + f"port: {port}\n{rest}"
    config = load(Path("/x/ennio.yaml"), {}, content=text.encode())
    found = {one.path: one for one in sources(config).values}
    assert (found["port"].value, found["port"].line) == (port, lead + 1)
    lines = text.split("\n")
    for one in found.values():
        if one.line is not None:
            last = one.path.rpartition(".")[2].partition("[")[0]
            assert last in lines[one.line - 1] or lines[one.line - 1].lstrip().startswith("-")
