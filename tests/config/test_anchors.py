"""Where YAML anchors may be kept: in keys that begin with x-, at the top of the
file and in each project.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import loaded, problems

SHARED = """\
x-agent: &agent {agent: aider, agent_config: {model: m}}
x-unused: {whatever: ["${NOT_SET}", 12:30x]}
projects:
  - x-rules: &rules [Write tests]
    <<: *agent
    name: a
    repo: ./a
    path: .
    agent_rules: *rules
  - {<<: *agent, name: b, repo: ./b, path: ., agent_rules: *rules}
"""


def test_anchors_are_kept_in_keys_of_their_own_and_mean_nothing_there(tmp_path: Path) -> None:
    config = loaded(tmp_path, SHARED, {})
    assert [
        (project.agent, project.agent_config.model, project.agent_rules)
        for project in config.projects
    ] == [("aider", "m", ("Write tests",))] * 2


def test_what_an_alias_brings_is_judged_where_it_is_used(tmp_path: Path) -> None:
    text = "x-env: &env {A: '${NOT_SET}'}\nprojects: [{name: a, repo: ./a, path: ., env: *env}]\n"
    (problem,) = problems(tmp_path, text, {})
    assert "projects[0].env.A" in problem
    assert "NOT_SET" in problem


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("defaults: {x-a: 1}", "defaults.x-a"),
        ("projects: [{name: a, repo: ./a, path: ., agent_config: {x-a: 1}}]", "agent_config.x-a"),
        ("X-a: 1", "X-a"),
    ],
)
def test_elsewhere_such_a_key_is_an_unknown_one(text: str, place: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, text)
    assert place in problem
    assert "no known key" in problem


def test_in_the_settings_of_a_plugin_it_is_a_setting_like_any_other(tmp_path: Path) -> None:
    (project,) = loaded(
        tmp_path, "projects: [{name: a, repo: ./a, path: ., agent_config: {passthrough: {x-a: 1}}}]"
    ).projects
    assert project.agent_config.passthrough == {"x-a": 1}
