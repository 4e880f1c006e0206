"""The file that `ennio init` writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.config.load import load
from ennio.config.template import TemplateValues, template
from ennio.plugins.shipped import SHIPPED
from tests.config.writing import ENVIRON, write
from tests.properties import examples

GITHUB = TemplateValues(
    "my-app",
    "git@github.com:user/my-app.git",
    Path("/home/user/my-app"),
    "trunk",
    ("codex", "aider"),
)
HUB = TemplateValues(
    "notes",
    "/home/user/.ennio/hubs/notes.git",
    Path("/home/user/notes"),
    bare_remote=True,
    remote="ennio",
    runtime="process",
)
OTHER = TemplateValues("else", "https://git.example.com/x/else.git", Path())


@pytest.mark.parametrize("found", [GITHUB, HUB, OTHER], ids=lambda found: found.name)
def test_the_template_loads_and_says_what_was_found(found: TemplateValues, tmp_path: Path) -> None:
    (project,) = load(write(tmp_path, template(found)), {}, SHIPPED).projects
    assert (project.name, project.repo, project.path) == (
        found.name,
        found.repo,
        tmp_path / found.path,
    )
    assert (project.default_branch, project.runtime) == (found.default_branch, found.runtime)
    assert project.agent == (found.agents[0] if found.agents else "claude-code")
    assert (project.forge and project.forge.plugin) == {
        "my-app": "github",
        "notes": "local",
        "else": None,
    }[found.name]


@pytest.mark.parametrize("found", [GITHUB, HUB, OTHER], ids=lambda found: found.name)
def test_what_is_commented_out_loads_too(found: TemplateValues, tmp_path: Path) -> None:
    lines = template(found).splitlines()
    body = [
        re.sub(r"^( *)# (?=( *- |[a-z_]+:| +[a-z_]+:))", r"\1", line)
        if not line.startswith("# $")
        else line
        for line in lines
    ]
    text = "\n".join(line for line in body if not line.lstrip().startswith("#"))
    config = load(write(tmp_path, text), ENVIRON, SHIPPED)
    (project,) = config.projects
    assert project.max_sessions == 3
    assert project.post_create == ("npm install",)
    assert len(project.symlinks) == len(project.agent_rules) == len(config.budgets) == 1
    if found is GITHUB:
        assert project.forge is not None
        assert project.forge.config["token"] == ENVIRON["GITHUB_TOKEN"]
    if found is HUB:
        assert project.forge is not None
        assert project.forge.config["checks"] == [
            {"name": "tests", "run": "make test", "timeout": "10m"}
        ]


def test_a_hub_is_explained_with_the_command_that_fetches_from_it() -> None:
    assert "git pull ennio main" in template(HUB)


def test_a_missing_agent_is_mentioned() -> None:
    assert "none was found here" in template(HUB)
    assert "also here: aider" in template(GITHUB)


def test_it_is_short() -> None:
    assert all(len(template(found).splitlines()) < 50 for found in (GITHUB, HUB, OTHER))


ODD = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20
).filter(str.strip)


@settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(ODD, ODD)
def test_any_name_and_path_survive(tmp_path: Path, name: str, folder: str) -> None:
    found = TemplateValues(
        name, "./hub", Path("/srv") / folder.replace("/", "_").replace("..", "_")
    )
    (project,) = load(write(tmp_path, template(found)), {}, SHIPPED).projects
    assert (project.name, project.path) == (found.name, found.path)


def test_a_name_that_looks_like_a_variable_stays_a_name(tmp_path: Path) -> None:
    (project,) = load(
        write(tmp_path, template(TemplateValues("${HOME}", "./hub", Path("/srv/${X}")))),
        {},
        SHIPPED,
    ).projects
    assert (project.name, str(project.path)) == ("${HOME}", "/srv/${X}")
