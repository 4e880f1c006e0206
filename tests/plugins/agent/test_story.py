"""Stories: what may stand in them, and which turn is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.config.model import AgentConfig
from ennio.model.errors import ConfigError
from ennio.plugins.agent.scripted import story
from ennio.plugins.agent.scripted.agent import ScriptedAgent
from ennio.plugins.agent.scripted.cue import fill, pick

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "stories").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_story(path: Path) -> None:
    assert story.read(path)[0]["on"] == "prompt"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


def test_short_steps_become_plain_ones() -> None:
    turns = story.turns(
        [
            {
                True: "ci-failed",
                "steps": [
                    *({"say": "hi"}, "push", {"push": True}, {"run": ["ls"]}, {"crash": None}),
                    *({"window": "5m"}, {"window": {"used": 4}}, {"helpers": 3}),
                ],
            }
        ],
        "t",
    )
    assert turns[0]["on"] == "ci_failed"
    assert turns[0]["steps"] == [
        {"do": "say", "text": "hi"},
        {"do": "push"},
        {"do": "push", "force": True},
        {"do": "run", "argv": ["ls"]},
        {"do": "crash"},
        {"do": "window", "resets_in": 300},
        {"do": "window", "used": 4},
        {"do": "helpers", "count": 3},
    ]


def test_the_numbers_among_the_words_of_a_program_are_words() -> None:
    (turn,) = story.turns([{"steps": [{"run": ["sleep", 1]}, {"run": ["sleep", 0.5]}]}], "t")
    assert [step["argv"] for step in turn["steps"]] == [["sleep", 1], ["sleep", 0.5]]


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("text", "a story is a list"),
        ([], "a story is a list"),
        ([3], r"turns\[0\]: must be a mapping"),
        ([{"on": "ci_faild"}], "did you mean `ci_failed`"),
        ([{"stepps": []}], "did you mean `steps`"),
        ([{"when": "("}], "no regular expression"),
        ([{"times": 0}], "whole number from 1"),
        ([{"steps": [{"window": "soon"}]}], "`resets_in` is not a duration"),
        (
            [{"steps": [{"sya": "x"}]}],
            r"turns\[0\]\.steps\[0\]: 'sya' is unknown: did you mean `say`",
        ),
        ([{"steps": [{"say": "x", "push": None}]}], "must be one step"),
        ([{"steps": [{"think": "long"}]}], "`seconds` cannot be 'long'"),
        ([{"steps": [{"think": True}]}], "`seconds` cannot be True"),
        (
            [{"steps": [{"ask": {"question": "?", "options": [True, "no"]}}]}],
            r"turns\[0\]\.steps\[0\]\.ask: `options`: `true` is a yes or no to YAML: write it in q",
        ),
        ([{"steps": [{"ask": {"question": "?", "options": [1.5]}}]}], "`1.5` is a number to YAML"),
        ([{"steps": [{"ask": {"question": "?", "options": [None]}}]}], "one of them is empty"),
        ([{"steps": [{"ask": {"question": "?", "options": [["a"]]}}]}], "not a text but a list"),
        ([{"steps": [{"run": ["git", "config", "x", True]}]}], "`argv`: `true` is a yes or no"),
        ([{"steps": [{"edit": {"content": "x"}}]}], "takes a mapping|`file` is missing"),
        ([{"steps": [{"edit": {"file": "a"}}]}], "needs one of"),
        ([{"steps": [{"edit": {"file": "a", "replace": {"old": "x"}}}]}], "`replace` needs"),
        ([{"steps": [{"edit": {"file": "../a", "content": ""}}]}], "leads out"),
        ([{"steps": [{"delete": "/etc/passwd"}]}], "leads out"),
        ([{"steps": [{"pull": {"resolve": {".git/config": ""}}}]}], "leads out"),
        ([{"steps": [{"rebase": {"otherwise": "mine"}}]}], "`ours` or `theirs`"),
    ],
)
def test_what_is_wrong_in_a_story_is_named_with_its_place(told: object, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        story.turns(told, "story.yaml")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        story.turns([{"on": "x", "steps": [{"y": 1}]}, 4], "story.yaml")
    assert len(caught.value.problems) == 3


def test_a_file_that_is_no_yaml_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [")
    for name in ("bad.yaml", "none.yaml"):
        with pytest.raises(ConfigError, match=name):
            story.read(tmp_path / name)


def test_a_relative_story_is_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("- steps: [{say: hi}]\n")
    config = AgentConfig(passthrough={"story": "s.yaml"})
    assert ScriptedAgent(config, tmp_path)
    with pytest.raises(ConfigError, match="relative"):
        ScriptedAgent(config)


@pytest.mark.parametrize("passthrough", [{"speed": 0}, {"speed": "fast"}, {"speeed": 1}])
def test_settings_that_cannot_be_used_are_named(passthrough: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(passthrough))):
        ScriptedAgent(AgentConfig(passthrough=passthrough))


TURNS = story.turns(
    [
        {"on": "message", "steps": []},
        {"on": "prompt", "steps": []},
        {"on": "ci_failed", "steps": []},
        {"on": "ci_failed", "steps": []},
        {"on": "merge_conflicts", "times": 1, "steps": []},
        {"when": "^deploy", "steps": []},
        {"on": "any", "steps": []},
    ],
    "t",
)


@pytest.mark.parametrize(
    ("text", "first", "played", "expected"),
    [
        ("Make CI fail on purpose", True, {}, 1),
        ("CI failed: build", False, {}, 2),
        ("2 checks have failed", False, {2: 1}, 3),
        ("CI failed: build", False, {2: 1, 3: 1}, 3),
        ("there are conflicts with main", False, {}, 4),
        ("there are conflicts with main", False, {4: 1}, 0),
        ("go on", False, {}, 0),
        ("please\ndeploy it", True, {}, 5),
    ],
)
def test_the_turn_that_says_most_about_the_words_is_played(
    text: str, first: bool, played: dict[int, int], expected: int
) -> None:
    assert pick(TURNS, text, played, first=first) == expected


def test_a_story_may_have_nothing_to_say() -> None:
    assert pick(story.turns([{"on": "prompt"}], "t"), "again", {}, first=False) is None


def test_placeholders_are_filled_once() -> None:
    assert (
        fill("{session} {prompt} {x} {}", {"session": "s", "prompt": "{session}"})
        == "s {session} {x} {}"
    )
