"""What the local forge notices of branches that others move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import ConfigError
from ennio.model.facts import Presence
from ennio.model.pulls import Mergeability, PullState
from ennio.plugins.forge.interface import Watch
from ennio.plugins.forge.local import parse
from ennio.plugins.git import Git, GitOutput
from tests.plugins.forge.hub import Hub, git, seen_pull, watch


def test_a_branch_without_commits_of_its_own_gets_no_pull_request(hub: Hub) -> None:
    git(hub.path, "branch", "fix", "main")
    seen = hub.forge().survey([watch("fix")])["s-1"]
    assert seen.presence is Presence.GONE
    assert "no commits that main lacks" in seen.detail


def test_auto_open_off_waits_for_a_person(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge(auto_open=False)
    assert "auto_open" in forge.survey([watch("fix")])["s-1"].detail
    forge.open("fix", "main", "t", "")
    assert seen_pull(forge, watch("fix")).branch == "fix"


def test_a_configured_draft_is_opened_as_one_with_the_commits_words(hub: Hub) -> None:
    hub.push("fix", {"a": "a"}, message="teach it to fly\n\nmore words")
    pull = seen_pull(hub.forge(draft=True), watch("fix"))
    assert (pull.draft, pull.title, pull.url) == (True, "teach it to fly", "ennio://shop/pull/1")


def test_two_sessions_on_one_branch_share_its_pull_request(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    seen = hub.forge().survey([watch("fix", session="s-1"), watch("fix", session="s-2")])
    assert seen["s-1"].pull == seen["s-2"].pull is not None


@pytest.mark.parametrize("how", [("--ff-only",), ("--no-ff",)])
def test_a_merge_by_hand_is_merged(hub: Hub, how: tuple[str, ...]) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    number = seen_pull(forge, watch("fix")).number
    head = hub.push("fix", {"b": "pushed between two looks"})
    git(hub.work, "checkout", "-q", "-B", "main", "origin/main")
    git(hub.work, "merge", "-q", *how, "-m", "by hand", "fix")
    git(hub.work, "push", "-q", "origin", "main", *([":fix"] if how == ("--no-ff",) else []))
    pull = seen_pull(forge, watch("fix", number=number))
    assert (pull.state, pull.merged_by_push) == (PullState.MERGED, True)
    assert hub.forge().look(number).merged_by_push, "also to a forge that was not there then"
    if how == ("--ff-only",):
        assert (pull.merge_commit, pull.head) == (head, head)


def test_a_branch_put_back_onto_its_base_is_closed_and_not_merged(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    number = seen_pull(forge, watch("fix")).number
    git(hub.path, "update-ref", "refs/heads/fix", hub.head("main"))
    assert seen_pull(forge, watch("fix", number=number)).state is PullState.CLOSED
    hub.push("fix", {"b": "anew"})
    assert seen_pull(forge, watch("fix", number=number)).number == number + 1


def test_a_force_push_is_a_new_head(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    seen_pull(forge, watch("fix"))
    git(hub.work, "commit", "-q", "--amend", "-m", "other words")
    git(hub.work, "push", "-q", "--force", "origin", "fix")
    assert seen_pull(forge, watch("fix")).head == git(hub.work, "rev-parse", "fix")


def test_a_deleted_branch_closes_its_pull_request(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    number = seen_pull(forge, watch("fix")).number
    git(hub.path, "branch", "-D", "fix")
    assert seen_pull(forge, watch("fix", number=number)).state is PullState.CLOSED


def test_incident_18_a_renamed_branch_keeps_its_pull_request(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    number = seen_pull(forge, watch("fix")).number
    git(hub.path, "branch", "-m", "fix", "better-name")
    pull = seen_pull(forge, watch("fix", number=number))
    assert (pull.number, pull.branch, pull.state) == (number, "better-name", PullState.OPEN)
    head = hub.push("better-name", {"b": "b"}, base="better-name")
    assert seen_pull(forge, watch("fix", number=number)).head == head


def test_incident_11_every_kind_of_broken_repository_is_unknown(hub: Hub, tmp_path: Path) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    seen_pull(forge, watch("fix"))
    (hub.path / "HEAD").rename(tmp_path / "HEAD")
    assert forge.survey([watch("fix")])["s-1"].presence is Presence.UNKNOWN
    (tmp_path / "HEAD").rename(hub.path / "HEAD")
    assert forge.survey([watch("fix")])["s-1"].presence is Presence.ALIVE
    (tmp_path / "plain").mkdir()
    for repo in (tmp_path / "nowhere", tmp_path / "plain"):
        seen = hub.forge(repo=str(repo)).survey([watch("fix", number=1)])["s-1"]
        assert seen.presence is Presence.UNKNOWN
        assert seen.detail.startswith(f"the repository {repo} is ")
        assert seen.detail.endswith(f"git clone --bare . {repo}")


def test_a_branch_of_another_history_conflicts_and_disturbs_no_other(hub: Hub) -> None:
    hub.push("one", {"one": "1"})
    git(hub.work, "checkout", "-q", "--orphan", "alien")
    git(hub.work, "commit", "-q", "-m", "alien")
    git(hub.work, "push", "-q", "origin", "alien")
    hub.push("two", {"two": "2"})
    seen = hub.forge().survey([watch(name, session=name) for name in ("one", "alien", "two")])
    states = {name: fact.pull and fact.pull.mergeability for name, fact in seen.items()}
    assert states == {
        "one": Mergeability.CLEAN,
        "alien": Mergeability.CONFLICTING,
        "two": Mergeability.CLEAN,
    }


def test_incident_35_the_number_of_git_commands_does_not_grow_with_the_sessions(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    branches = [f"fix-{n}" for n in range(6)]
    for branch in branches:
        hub.push(branch, {branch: branch})
    forge = hub.forge()
    watches = [watch(branch, session=branch) for branch in branches]
    forge.survey(watches)
    commands: list[str] = []
    once = Git.run

    def counting(self: Git, *args: str, **more: Any) -> GitOutput:
        commands.append(args[0])
        return once(self, *args, **more)

    monkeypatch.setattr(Git, "run", counting)
    forge.survey(watches)
    assert commands == ["for-each-ref"]
    commands.clear()
    hub.push("main", {"base": "moved"})
    forge.survey(watches)
    assert commands == ["for-each-ref", "for-each-ref", "merge-tree"]


@pytest.mark.parametrize(
    "repo",
    ["https://forge.example/shop.git", "git@forge.example:shop.git", "ssh://forge.example/x"],
)
def test_a_repository_elsewhere_is_an_error_of_the_configuration(hub: Hub, repo: str) -> None:
    with pytest.raises(ConfigError, match="file:// URL"):
        hub.forge(repo=repo)


def test_a_missing_base_is_told(hub: Hub) -> None:
    hub.push("fix", {"a": "a"})
    forge = hub.forge()
    seen = forge.survey([Watch("s-1", "fix", "trunk", idle=True)])["s-1"]
    assert (seen.presence, "trunk" in seen.detail) == (Presence.GONE, True)


def test_settings_tell_every_problem_with_its_place() -> None:
    config = {
        "cheks": [],
        "checks": [
            {"name": "a/b", "run": "true"},
            {"name": "t", "run": " "},
            {"name": "T", "run": "x", "timeout": "soon", "extra": 1},
            "make",
        ],
        "merge_method": "octopus",
        "draft": "yes",
        "check_slots": 0,
    }
    with pytest.raises(ConfigError) as caught:
        parse(config)
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {
        "cheks",
        "checks[0].name",
        "checks[1].run",
        "checks[2].extra",
        "checks[2].timeout",
        "checks[3]",
        "checks[2].name",
        "merge_method",
        "draft",
        "check_slots",
    }
    assert "cheks: is no known key here: did you mean `checks`?" in str(caught.value)


def test_settings_read_durations_and_defaults() -> None:
    settings = parse(
        {
            "checks": [{"name": "t", "run": "make", "timeout": "5m"}, {"name": "u", "run": "make"}],
            "merge_method": "rebase",
        }
    )
    assert [check.timeout for check in settings.checks] == [300.0, 600.0]
    assert settings.auto_open
