"""``ennio init`` in real repositories."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import pytest

from ennio.config.load import load
from tests.cli.conftest import Place


def _repository(place: Place, *, remote: str | None = None) -> Path:
    place.git("init", "-q", "-b", "trunk")
    (place.folder / "a.txt").write_text("a\n")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "first")
    if remote:
        place.git("remote", "add", "origin", remote)
    return place.folder


def _snapshot(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if ".git/objects" not in str(path)
    }


def test_the_written_file_loads_and_names_the_remote(place: Place) -> None:
    _repository(place, remote="git@github.com:ann/app.git")
    agent = place.home / "bin" / "claude"
    agent.parent.mkdir()
    agent.touch(0o755)
    ended = place.ennio("init", ".", PATH=f"{agent.parent}:{os.environ['PATH']}")
    assert (ended.code, ended.err) == (0, "")
    config = load(place.folder / "ennio.yaml", {})
    project = config.projects[0]
    assert (project.repo, project.path, project.default_branch) == (
        "git@github.com:ann/app.git",
        place.folder,
        "trunk",
    )
    assert ended.out.splitlines()[-2:] == [
        "  ennio start --detach",
        f'  ennio spawn {place.folder.name} --prompt "..."',
    ]


def test_where_there_is_no_agent_it_is_said_and_the_one_that_needs_nothing_is_offered(
    place: Place, tmp_path: Path
) -> None:
    _repository(place, remote="git@github.com:ann/app.git")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh", "env"):
        (tools / name).symlink_to(str(shutil.which(name)))
    ended = place.ennio("init", PATH=str(tools))
    assert ended.code == 0, ended.err
    assert "no coding agent was found here (claude-code, " in ended.out
    assert "npm install -g @anthropic-ai/claude-code" in ended.out
    assert ended.out.splitlines()[-1] == (
        f"  ennio spawn {place.folder.name} --agent scripted --prompt Hello"
    )


def test_where_git_does_not_know_who_commits_it_is_said_with_the_commands_that_help(
    place: Place,
) -> None:
    _repository(place, remote="git@github.com:ann/app.git")
    place.git("config", "user.useConfigOnly", "true")
    nobody = {
        f"GIT_{who}_{what}": "" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for words in (("init",), ("doctor",)):
        ended = place.ennio(*words, **nobody)
        assert "git does not know who you are" in ended.out
        assert 'git config --global user.name "Your Name" && git config' in ended.out


def test_a_folder_in_no_repository_that_was_named_gets_a_file_without_projects(
    place: Place,
) -> None:
    ended = place.ennio("init", ".")
    assert ended.code == 0, ended.err
    assert "add each repository" in ended.out
    config = load(place.folder / "ennio.yaml", {"HOME": "/home/x"})
    assert config.projects == ()
    assert place.ennio("config", "check").code == 0
    # what it shows as an example is one
    text = (place.folder / "ennio.yaml").read_text()
    lines = text[text.index("# projects:") :].split("\n\n")[0].splitlines()
    shown = "\n".join(line.removeprefix("# ") for line in lines)
    (place.folder / "shown.yaml").write_text(shown)
    assert load(place.folder / "shown.yaml", {"HOME": "/home/x"}).projects[0].id == "my-app"
    assert place.ennio("init", "nowhere").code == 3


def test_the_default_branch_is_the_remotes_not_the_one_checked_out(
    place: Place, tmp_path: Path
) -> None:
    origin = tmp_path / "origin.git"
    _repository(place)
    place.git("clone", "-q", "--bare", ".", str(origin))
    place.git("remote", "add", "origin", str(origin))
    place.git("checkout", "-q", "-b", "feature")
    assert place.ennio("init").code == 0
    assert load(place.folder / "ennio.yaml", {}).projects[0].default_branch == "trunk"


@pytest.mark.parametrize("usual", ["main", "master"])
@pytest.mark.parametrize("remote", [None, "/nowhere/at/all.git"])
def test_a_feature_branch_is_not_taken_for_the_default_branch(
    place: Place, usual: str, remote: str | None
) -> None:
    _repository(place, remote=remote)
    place.git("branch", "-m", "trunk", usual)
    place.git("checkout", "-q", "-b", "feature")
    place.git("commit", "-q", "--allow-empty", "-m", "half done")
    ended = place.ennio("init")
    assert load(place.folder / "ennio.yaml", {}).projects[0].default_branch == usual
    silent = (
        "the remote origin does not tell its default branch"
        if remote
        else "there is no remote that tells"
    )
    assert (
        f"default branch: {usual} (the usual name: {silent}); another: default_branch in that file"
        in ended.out
    )


def test_a_branch_known_from_the_remote_alone_is_the_default_branch_too(place: Place) -> None:
    _repository(place, remote="/nowhere/at/all.git")
    place.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert place.ennio("init", "--json").document["default_branch"] == "main"


def test_who_is_taken_for_the_default_branch_for_want_of_another_is_said(place: Place) -> None:
    _repository(place)
    why = "the one checked out: there is no remote that tells, and there is no main or master"
    document = place.ennio("init", "--json").document
    assert (document["default_branch"], document["default_branch_from"]) == ("trunk", why)


def test_a_detached_head_beside_a_usual_branch_is_no_reason_to_refuse(place: Place) -> None:
    _repository(place)
    place.git("checkout", "-q", "--detach")
    assert "detached HEAD" in place.ennio("init").err
    place.git("branch", "main")
    assert place.ennio("init", "--json").document["default_branch"] == "main"


def test_a_default_branch_that_was_renamed_since_the_clone_is_asked_for(
    place: Place, tmp_path: Path
) -> None:
    _repository(place)
    origin = tmp_path / "origin.git"
    place.git("clone", "-q", "--bare", ".", str(origin))
    place.git("remote", "add", "origin", str(origin))
    place.git("fetch", "-q", "origin")
    place.git("remote", "set-head", "origin", "-a")
    place.git("branch", "-m", "trunk", "main", cwd=origin)
    place.git("symbolic-ref", "HEAD", "refs/heads/main", cwd=origin)
    assert place.ennio("init", "--json").document["default_branch"] == "main"
    (place.folder / "ennio.yaml").unlink()
    origin.rename(
        tmp_path / "moved.git"
    )  # nobody can be asked: what the clone remembers is there, and holds
    place.git("checkout", "-q", "-b", "feature")
    assert place.ennio("init", "--json").document["default_branch"] == "trunk"
    (place.folder / "ennio.yaml").unlink()
    place.git("update-ref", "-d", "refs/remotes/origin/trunk")
    assert place.ennio("init", "--json").document["default_branch"] == "feature"


def test_a_remote_given_relative_to_the_root_is_found_from_anywhere(
    place: Place, tmp_path: Path
) -> None:
    _repository(place)
    place.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    place.git("remote", "add", "origin", "../origin.git")
    assert place.ennio("init").code == 0
    assert load(place.folder / "ennio.yaml", {}).projects[0].repo == str(tmp_path / "origin.git")


def test_a_repository_without_a_remote_gets_a_hub_and_its_branch_stays_where_it_was(
    place: Place,
) -> None:
    _repository(place)
    ended = place.ennio("init", "--json")
    assert ended.code == 0
    hub = Path(ended.document["hub"])
    assert hub.parent == place.home / "ennio" / "hubs"
    assert place.git("rev-parse", "trunk") == place.git("rev-parse", "HEAD", cwd=hub)
    assert place.git("symbolic-ref", "HEAD", cwd=hub) == "refs/heads/trunk"
    assert place.git("remote", "get-url", "ennio") == str(hub)
    assert load(place.folder / "ennio.yaml", {}).projects[0].repo == str(hub)
    assert place.git("status", "--porcelain") == "?? ennio.yaml"
    # the advice that is printed holds
    other = place.home / "elsewhere"
    place.git("clone", "-q", str(hub), str(other))
    place.git("commit", "-q", "--allow-empty", "-m", "merged there", cwd=other)
    place.git("push", "-q", "origin", "trunk", cwd=other)
    place.git("pull", "-q", "ennio", "trunk")
    assert place.git("log", "-1", "--format=%s") == "merged there"


def test_a_hub_of_an_earlier_init_is_used_again_and_brought_up_to_date(place: Place) -> None:
    _repository(place)
    hub = place.ennio("init", "--json").document["hub"]
    place.git("remote", "remove", "ennio")
    (place.folder / "ennio.yaml").unlink()
    place.git("commit", "-q", "--allow-empty", "-m", "second")
    assert place.ennio("init", "--json").document["hub"] == hub
    assert place.git("log", "-1", "--format=%s", "ennio/trunk") == "second"


def test_the_database_is_kept_out_of_git_without_touching_gitignore(place: Place) -> None:
    _repository(place, remote="git@github.com:ann/app.git")
    place.ennio("init")
    (place.folder / "ennio.db-wal").write_text("")
    assert place.git("status", "--porcelain") == "?? ennio.yaml"
    assert not (place.folder / ".gitignore").exists()


def test_a_file_that_is_there_is_never_overwritten(place: Place) -> None:
    _repository(place)
    (place.folder / ".ennio.yml").write_text("mine\n")
    ended = place.ennio("init")
    assert ended.code == 1
    assert ".ennio.yml" in ended.err
    assert (place.folder / ".ennio.yml").read_text() == "mine\n"
    assert not (place.home / "ennio").exists()


@pytest.mark.parametrize("given", [[], ["."], ["{}/sub"], ["{}/other.yaml"]])
def test_the_file_is_written_where_it_was_asked_for(place: Place, given: list[str]) -> None:
    _repository(place, remote="git@github.com:ann/app.git")
    (place.folder / "sub").mkdir()
    words = [word.format(place.folder) for word in given]
    target = Path(place.ennio("init", *words, "--json").document["file"])
    expected = {
        (): "ennio.yaml",
        (".",): "ennio.yaml",
        ("{}/sub",): "sub/ennio.yaml",
        ("{}/other.yaml",): "other.yaml",
    }[tuple(given)]
    assert target == place.folder / expected
    assert load(target, {}).projects[0].path == place.folder


@pytest.mark.parametrize("given", [(), ("sub",), ("my app.yaml",), ("../beside",)])
@pytest.mark.parametrize("above", [True, False])
def test_what_init_names_next_takes_the_file_that_it_wrote(
    place: Place, given: tuple[str, ...], above: bool
) -> None:
    _repository(place, remote="git@github.com:ann/app.git")
    (place.folder / "sub").mkdir()
    (place.folder.parent / "beside").mkdir()
    if above:
        (place.folder.parent / "ennio.yaml").write_text("projects: nonsense\n")
    ended = place.ennio("init", *given, "--json")
    for command in ended.document["next"]:
        words = shlex.split(command)
        named = words[words.index("--config") :] if "--config" in words else []
        assert bool(named) == bool(given)
        checked = place.ennio("config", "check", *named, "--json")
        assert (checked.code, checked.document["file"]) == (0, ended.document["file"]), checked


def test_outside_of_a_repository_the_command_that_makes_one_is_told(place: Place) -> None:
    ended = place.ennio("init")
    assert ended.code == 3
    assert "git init" in ended.err
    assert _snapshot(place.folder) == set()


def test_a_repository_without_commits_is_refused_with_the_command_that_helps(place: Place) -> None:
    place.git("init", "-q")
    before = _snapshot(place.folder)
    ended = place.ennio("init")
    assert ended.code == 1
    assert "git commit --allow-empty -m" in ended.err
    assert _snapshot(place.folder) == before


def test_a_failure_leaves_nothing_half_made(place: Place) -> None:
    _repository(place)
    before, settings = _snapshot(place.folder), place.git("config", "--local", "--list")
    # the file cannot be written, after the hub was made: a dangling link is no file,
    # and cannot be opened anew
    target = place.folder / "sub" / "ennio.yaml"
    target.parent.mkdir()
    target.symlink_to("/nowhere/at/all")
    ended = place.ennio("init", str(target))
    assert ended.code == 1
    left = {name for name in _snapshot(place.folder) - before if not name.startswith(".git/")}
    assert left == {"sub", "sub/ennio.yaml"}
    assert place.git("config", "--local", "--list") == settings
    assert place.git("branch", "-a") == "* trunk"
    assert list((place.home / "ennio" / "hubs").iterdir()) == []


def test_a_hook_of_the_repository_does_not_run(place: Place) -> None:
    _repository(place)
    hook = place.folder / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert place.ennio("init").code == 0


def test_config_check_and_show_agree_with_what_init_wrote(place: Place) -> None:
    _repository(place)
    place.ennio("init")
    assert place.ennio("config", "check").out == f"{place.folder / 'ennio.yaml'} is fine\n"
    assert (
        place.ennio("config", "show", "--json").document["projects"][0]["default_branch"] == "trunk"
    )
    assert "default_branch: trunk" in place.ennio("config", "show").out
    assert "$schema" in place.ennio("config", "schema").document


def test_config_check_tells_every_problem_and_fails(place: Place) -> None:
    (place.folder / "ennio.yaml").write_text("prot: 3000\nprojects:\n  - name: x\n")
    ended = place.ennio("config", "check", "--json")
    assert ended.code == 1
    problems = {problem["path"]: problem for problem in ended.document["problems"]}
    assert problems["prot"]["line"] == 1
    assert len(problems) >= 2
    assert place.ennio("start", "--json").document["problems"] == ended.document["problems"]


def test_config_show_masks_secrets(place: Place) -> None:
    _repository(place)
    place.ennio("init")
    with (place.folder / "ennio.yaml").open("a") as stream:
        stream.write("\napi_token: ${THE_TOKEN}\n")
    ended = place.ennio("config", "show", THE_TOKEN="hunter2-hunter2")
    assert ended.code == 0
    assert "hunter2" not in ended.out + ended.err
    assert "***" in ended.out


@pytest.mark.parametrize("kind", ["worktrees", "clones"])
def test_init_in_the_working_copy_of_a_session_is_refused_to_a_person_too(
    place: Place, kind: str
) -> None:
    _repository(place)
    copy = place.home / "ennio" / kind / "app" / "app-1"
    place.git("clone", "-q", ".", str(copy))
    (place.folder / "link").symlink_to(copy)
    for given in (str(copy), str(copy / "other.yaml"), "link"):
        ended = place.ennio("init", given)
        assert (ended.code, f"{copy} is in a session's working copy" in ended.err) == (5, True)
    assert not [*copy.glob("*.yaml"), *place.home.glob("ennio/trust/*")]


def test_init_by_an_agent_is_refused_wherever_it_is(place: Place) -> None:
    _repository(place)
    ended = place.ennio("init", ENNIO_SESSION_ID="app-1")
    assert (ended.code, "agents do not set Ennio up" in ended.err) == (5, True)
    assert not (place.folder / "ennio.yaml").exists()
