"""What plugins declare of their settings: an editor's schema, the page and
the factories say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ennio.config import yaml_source
from ennio.config.fields import SettingsSchema
from ennio.config.load import check, load
from ennio.config.schema_json import json_schema
from ennio.config.text_fields import PathField
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.model.errors import ConfigError
from ennio.plugins import fitting
from ennio.plugins.declared import all_shipped, declaration, shipped, takes
from ennio.plugins.registry import PluginContext
from tests.config.test_documented import DOCUMENTED, EXAMPLES, completed

SCHEMA = json_schema(all_shipped())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PROJECT = "projects: [{name: a, repo: ./a, path: /a, %s}]"
LOCAL = PROJECT % "scm_config: {plugin: local, config: %s}"
COMMAND = PROJECT % "agent: command, agent_config: {passthrough: %s}"
CLAUDE = PROJECT % "agent: claude-code, agent_config: {passthrough: %s}"

RIGHT = [
    LOCAL % "{checks: [{name: t, run: make test, timeout: 5m}], merge_method: rebase, draft: ~}",
    LOCAL % "{check_slots: '${SLOTS:-3}', review_required: '${REVIEWED:-true}'}",
    LOCAL % "~",
    PROJECT % "scm_config: {plugin: github, config: {owner: acme, repo: shop, pace: 2.5}}",
    PROJECT % "scm_config: {plugin: somebodys, config: {whatever: [1]}}",
    PROJECT
    % "tracker_config: {plugin: linear, config: {api_key: k, states: {merged: Done, killed: "
    "~}, comment: true}}",
    PROJECT % "tracker_config: {plugin: github, config: {labels: {merged: [done]}, assign: ada}}",
    PROJECT
    % "tracker_config: {plugin: local, config: {path: docs/todo, comment: [merged, killed]}}",
    COMMAND % "{argv: [my-agent, '{prompt_file}'], interactive: true, lines: paste}",
    COMMAND % "{run: 'my-agent < $ENNIO_PROMPT_FILE', one_shot: false}",
    CLAUDE % "{max_turns: 200, verbose: true, add_dir: [/a, /b], effort: ~}",
    PROJECT
    % "agent: scripted, agent_config: {passthrough: {speed: 2, story: [{steps: [{say: hi}]}]}}",
]
WRONG = [
    LOCAL % "{chekcs: []}",
    LOCAL % "{checks: make}",
    LOCAL % "{checks: [{name: a/b, run: make}]}",
    LOCAL % "{checks: [{name: t}]}",
    LOCAL % "{check_slots: 0}",
    LOCAL % "{draft: maybe}",
    LOCAL % "{merge_method: octopus}",
    PROJECT % "scm_config: {plugin: github, config: {mergemethod: x}}",
    PROJECT % "scm_config: {plugin: github, config: {pace: 0}}",
    PROJECT % "scm_config: {plugin: github, config: {api_url: nowhere}}",
    PROJECT % "tracker_config: {plugin: linear, config: {api_key: k, states: {mergd: Done}}}",
    PROJECT % "tracker_config: {plugin: local, config: {comment: [mergd]}}",
    PROJECT % "tracker_config: {plugin: github, config: {labels: {merged: {a: b}}}}",
    COMMAND % "{argv: ls}",
    COMMAND % "{argv: [ls], stdin: 3}",
    COMMAND % "{argv: [ls], interactiv: true}",
    COMMAND % "{argv: [ls], lines: three}",
    CLAUDE % "{add dir: x}",
    CLAUDE % "{add_dir: {a: b}}",
    PROJECT % "agent: scripted, agent_config: {passthrough: {speed: fast}}",
    PROJECT % "agent: scripted, agent_config: {passthrough: {speeed: 1}}",
]


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "ennio.yaml"
    file.write_text(text)
    return [str(problem) for problem in check(file, {}, declared=shipped)]


def test_the_schema_with_plugins_is_a_schema_whose_references_lead_somewhere() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    text = str(SCHEMA)
    for name in SCHEMA["$defs"]:
        assert f"#/$defs/{name}'" in text, name


@pytest.mark.parametrize(
    "path", [*DOCUMENTED, *EXAMPLES], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_example_is_valid_with_the_settings_of_its_plugins(path: Path) -> None:
    VALIDATOR.validate(completed(yaml_source.read(path.read_bytes()).data))


@pytest.mark.parametrize("text", RIGHT)
def test_editor_and_loader_take_the_same_settings(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text) == []
    VALIDATOR.validate(yaml_source.read(text.encode()).data)


@pytest.mark.parametrize("text", WRONG)
def test_editor_and_loader_refuse_the_same_settings(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text)
    assert not VALIDATOR.is_valid(yaml_source.read(text.encode()).data)


def test_an_agent_that_is_only_the_default_is_judged_by_the_loader(tmp_path: Path) -> None:
    text = "defaults: {agent: command}\n" + PROJECT % "agent_config: {passthrough: {argv: ls}}"
    (problem,) = problems(tmp_path, text)
    assert "projects[0].agent_config.passthrough.argv: must be a list" in problem


def test_a_variable_stands_for_a_switch_or_a_number(tmp_path: Path) -> None:
    file = tmp_path / "ennio.yaml"
    file.write_text(LOCAL % "{draft: '${DRAFT}', check_slots: '${SLOTS}'}")
    assert check(file, {"DRAFT": "true", "SLOTS": "3"}, declared=shipped) == []
    (draft, slots) = check(file, {"DRAFT": "perhaps", "SLOTS": "many"}, declared=shipped)
    assert (draft.path, slots.path) == (
        "projects[0].scm_config.config.draft",
        "projects[0].scm_config.config.check_slots",
    )


def test_a_secret_among_settings_is_not_shown(tmp_path: Path) -> None:
    text = (
        PROJECT
        % "scm_config: {plugin: github, config: {token: [canary-1], webhook_secret: 123456789, "
        "api_url: 'x://u:canary-2@h'}}"
    )
    told = "\n".join(problems(tmp_path, text))
    assert told.count("scm_config.config") == 3
    assert "canary" not in told
    assert "123456789" not in told


class LogbookSchema(SettingsSchema):
    """The settings of a plugin of somebody's own."""

    makes = dict
    path = PathField("The file", required="write the file to write to, such as path: logbook.jsonl")


@takes(LogbookSchema)
def build(context: PluginContext) -> Any:
    """A plugin that is its settings."""
    return context.settings


def _context(tmp_path: Path, settings: dict[str, Any]) -> PluginContext:
    return PluginContext(Home(tmp_path), SystemClock(), settings=settings)


def test_a_plugin_of_ones_own_receives_its_settings_read(tmp_path: Path) -> None:
    assert declaration(build) is LogbookSchema
    assert build(_context(tmp_path, {"path": "a/b"})) == {"path": Path("a/b")}
    with pytest.raises(ConfigError) as caught:
        build(_context(tmp_path, {"pth": "a"}))
    assert [str(problem) for problem in caught.value.problems] == [
        "path: is missing: write the file to write to, such as path: logbook.jsonl",
        "pth: is no known key here: did you mean `path`?",
    ]


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution of somebody's, which leaves a trace when it is imported."""
    (tmp_path / "stranger.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\ndef "
        "build(context): ...\n"
    )
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ennio.notifier]\nslack = stranger:build\nlogbook = stranger:build\n[ennio.scm]\nlocal = "
        "stranger:build\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    shipped.cache_clear()
    yield tmp_path / "imported"
    shipped.cache_clear()


@pytest.mark.parametrize(
    ("slot", "name"),
    [("notifier", "logbook"), ("notifier", "slack"), ("scm", "local"), ("scm", "nobodys")],
)
def test_a_plugin_of_another_distribution_is_not_imported_to_check_a_file(
    stranger: Path, slot: str, name: str, tmp_path: Path
) -> None:
    assert shipped(slot, name) is None
    file = tmp_path / "ennio.yaml"
    file.write_text(
        f"notifiers: [{{plugin: {name}, name: x}}]\n"
        + PROJECT % f"scm_config: {{plugin: {name}}}, agent: stub"
    )
    config = load(file, {}, declared=shipped)
    assert fitting.problems(config, Home(tmp_path / "home"), trusted=False) == []
    assert not stranger.exists()


def test_the_stranger_is_imported_once_the_file_is_trusted(stranger: Path, tmp_path: Path) -> None:
    file = tmp_path / "ennio.yaml"
    file.write_text("notifiers: [{plugin: slack, name: x}]\n" + PROJECT % "agent: stub")
    fitting.problems(load(file, {}, declared=shipped), Home(tmp_path / "home"), trusted=True)
    assert stranger.exists()


PAGES = {
    ("scm", "local"): "local-forge.md",
    ("scm", "github"): "github.md",
    ("tracker", "github"): "github.md",
    ("tracker", "linear"): "linear.md",
    ("agent", "command"): "configuration.md",
}


@pytest.mark.parametrize("plugin", PAGES, ids="-".join)
def test_the_page_of_a_plugin_leaves_none_of_its_settings_out(plugin: tuple[str, str]) -> None:
    declared = all_shipped()[plugin]
    assert isinstance(declared, type)
    page = (Path(__file__).parents[2] / "docs" / PAGES[plugin]).read_text(encoding="utf-8")
    assert set(declared.keys()) - set(re.findall(r"`(\w+)`", page)) == set()
