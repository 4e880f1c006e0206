"""What the documentation shows is true: files load, stories parse, command lines are
understood, links lead somewhere.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from ennio.cli.parser import UsageError, understand
from ennio.config.load import check
from ennio.model.errors import ConfigError
from ennio.plugins.agent.scripted import story
from ennio.plugins.shipped import SHIPPED
from tests.config.writing import ENVIRON

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
STORIES = sorted((ROOT / "examples" / "stories").glob("*.yaml"))
NAMES = {
    **SHIPPED,
    "notifier": (*SHIPPED["notifier"], "logbook"),
    "agent": (*SHIPPED["agent"], "my-agent"),
}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\./bin/)?ennio [^`]+)`")
CALL = re.compile(r"^(?:\w+=\S+ )*(?:\./bin/)?ennio\s+")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _blocks(page: Path, *languages: str) -> list[str]:
    return [
        text
        for language, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if language in languages
    ]


def command_lines(text: str) -> list[str]:
    """Every call of ennio in a shell's text: prompts and what other
    programs do with it left out.
    """
    joined = text.replace("\\\n", " ")
    lines = (line.removeprefix("$ ").partition(" # ")[0] for line in joined.splitlines())
    parts = (part.strip() for line in lines for part in re.split(r"&&|\|+|;", line))
    return [CALL.sub("ennio ", part) for part in parts if CALL.match(part)]


def _told(page: Path) -> list[str]:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    spoken = [
        line
        for found in INLINE.findall(prose)
        if "..." not in found
        for line in command_lines(found)
    ]
    return [
        line for block in _blocks(page, "sh", "bash", "console") for line in command_lines(block)
    ] + spoken


def understood(line: str) -> bool:
    """Whether the real parser takes the line; asking for help ends in SystemExit and is fine."""
    words = [word for word in shlex.split(line.partition(" > ")[0])[1:] if word != "…"]
    try:
        understand(words)
    except SystemExit as ended:
        return ended.code == 0
    return True


LINES = sorted(
    {(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in _told(page)}
)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.name)
def test_every_story_parses(path: Path) -> None:
    assert story.read(path)


def test_a_story_that_is_wrong_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text("- {on: prompt, steps: [{sing: loudly}]}\n")
    with pytest.raises(ConfigError):
        story.read(tmp_path / "story.yaml")


@pytest.mark.parametrize(("page", "line"), LINES)
def test_every_command_line_that_is_shown_is_understood(page: str, line: str) -> None:
    assert understood(line), page


def test_the_pages_that_tell_how_it_is_used_show_command_lines() -> None:
    pages = [page for page, _ in LINES]
    assert pages.count("README.md") > 10
    assert {"CONTRIBUTING.md", "docs/plugins.md", "examples/plugin/README.md"} <= {
        page.relative_to(ROOT).as_posix() for page in PAGES
    }


def test_a_command_line_that_is_wrong_would_be_noticed() -> None:
    shown = (
        "$ A=1 ./bin/ennio spawn app --prompt 'x; y'   # so\nennio status --json | jq .\ncd x && "
        "ennio foo\n"
    )
    assert command_lines("ennio status --json | jq .\ncd x && ennio foo\n") == [
        "ennio status --json",
        "ennio foo",
    ]
    assert command_lines(shown.splitlines()[0].replace("; ", " ")) == [
        "ennio spawn app --prompt 'x y'"
    ]
    with pytest.raises(UsageError):
        understood("ennio foo")
    with pytest.raises(UsageError):
        understood("ennio spawn --no-such-option")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_that_is_linked_exists(page: Path) -> None:
    targets = [
        unquote(link.split("#")[0]) for link in LINK.findall(page.read_text(encoding="utf-8"))
    ]
    assert [
        target
        for target in targets
        if target and "://" not in target and not (page.parent / target).exists()
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_whole_configuration_that_is_shown_loads(page: Path, tmp_path: Path) -> None:
    for block in _blocks(page, "yaml"):
        if "projects" in (yaml.safe_load(block) or {}):
            (tmp_path / "ennio.yaml").write_text(block)
            assert check(tmp_path / "ennio.yaml", ENVIRON, NAMES) == []
