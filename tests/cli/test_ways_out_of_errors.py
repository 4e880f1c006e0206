"""The way out that an error prints, done word by word: what was refused goes through then."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ennio.config.load import load
from ennio.machine.home import Home
from ennio.model.errors import ConfigError
from tests.cli.sick import Sick, heals, refused, runs, spawned, status_of, way_out
from tests.conftest import eventually, need

_PATIENT = 60.0
_QUOTED_GIT = re.compile(r"`(git [^`]+)`")


# --- without a supervisor -------------------------------------------------------------------------


def test_no_configuration_is_written_by_init(sick: Sick) -> None:
    (sick.folder / "ennio.yaml").unlink()
    assert heals(sick, "ennio config check", "no ennio.yaml in") == "ennio init"


def test_a_configuration_that_was_named_and_is_not_there_is_written_there(sick: Sick) -> None:
    (sick.folder / "ennio.yaml").unlink()
    (sick.folder / "a folder").mkdir()
    for name, words in (
        ("other file.yaml", "no configuration file"),
        ("a folder", "no ennio.yaml"),
        ("no folder", "no configuration file"),
        ("no folder yet/other.yaml", "no configuration file"),
    ):
        heals(sick, f"ennio config check --config '{name}'", words)


def test_an_empty_configuration_is_written_by_init(sick: Sick) -> None:
    (sick.folder / "ennio.yaml").write_text("\n")
    assert heals(sick, "ennio config check", "the file is empty") == "ennio init"


def test_a_configuration_that_went_meanwhile_is_written_by_init(sick: Sick) -> None:
    source = sick.folder / "ennio.yaml"
    source.unlink()
    with pytest.raises(ConfigError, match="no such file") as told:
        load(source, os.environ)
    assert sick.sh(way_out(str(told.value))).returncode == 0
    assert load(source, os.environ).source == source


def test_one_that_is_there_and_cannot_be_read_is_not_to_be_written(sick: Sick) -> None:
    os.mkfifo(sick.folder / "pipe.yaml")
    said = refused(sick, "ennio config check --config pipe.yaml", "it is no regular file")
    assert "ennio init" not in said


def test_a_password_in_an_address_is_left_to_git(sick: Sick) -> None:
    sick.write(repo="https://me:secret@example.org/app.git")
    said = refused(sick, "ennio config check", "carries a password")
    assert "secret" not in said
    assert sick.sh(_QUOTED_GIT.findall(said)[0]).returncode == 0
    assert sick.sh("git config credential.helper").stdout.strip() == "store"
    sick.write(repo="https://me@example.org/app.git")
    assert "carries a password" not in sick.sh("ennio config check").stdout


def test_a_folder_without_a_repository_is_made_one(sick: Sick) -> None:
    folder = sick.place.home / "bare"
    folder.mkdir()
    (folder / "README").write_text("x")
    heals(sick, "ennio init", "is in no git repository", where=str(folder))
    assert (folder / ".git").is_dir()


def test_a_folder_that_is_to_be_none_gets_a_file_without_a_project(sick: Sick) -> None:
    folder = sick.place.home / "conducts others"
    folder.mkdir()
    said = refused(sick, f"cd '{folder}' && ennio init", "is in no git repository")
    done = sick.sh(f"cd '{folder}' && {said.strip().rpartition('elsewhere: ')[2].rstrip(')')}")
    assert done.returncode == 0, (said, done)
    assert sick.sh(f"cd '{folder}' && ennio config check").returncode == 0


def test_a_repository_without_a_commit_is_given_one(sick: Sick) -> None:
    folder = sick.place.home / "bare"
    folder.mkdir()
    sick.place.git("init", "-q", "-b", "main", cwd=folder)
    heals(sick, "ennio init", "has no commits yet", where=str(folder))


def test_without_a_supervisor_one_is_started(sick: Sick) -> None:
    assert heals(sick, "ennio status", "no supervisor runs for") == "ennio start --detach"


def test_a_log_that_is_not_there_is_written_by_a_start_in_the_background(sick: Sick) -> None:
    said = refused(sick, "ennio logs -n 1", "no log at")
    assert "ennio start --detach" in said
    runs(sick)
    assert sick.sh("ennio logs -n 1").returncode == 0


def test_a_configuration_that_is_not_trusted_is_trusted_by_what_is_printed(sick: Sick) -> None:
    sick.env["ENNIO_TRUSTED_CONFIG_PATHS"] = ""
    sick.write(more=", post_create: [echo hello]")
    said = refused(sick, "ennio start --detach", "is not trusted")
    way = said.split("then: ")[1].split("   (")[0]
    assert sick.sh(way).returncode == 0
    runs(sick)
    sick.write(more=", post_create: [echo other]")
    said = refused(sick, "ennio reload", "is not trusted")
    assert said.rstrip().endswith("(or ennio reload --trust)")
    assert sick.sh("ennio reload --trust").returncode == 0


def test_a_database_of_which_a_copy_was_saved_is_put_back(sick: Sick) -> None:
    runs(sick)
    session = spawned(sick, "--hold")
    assert sick.sh("ennio stop").returncode == 0
    (file,) = sick.folder.glob("ennio.db")
    file.rename(file.with_name("ennio.db.saved-20260101-000000"))
    assert "is gone" in " ".join(sick.doctor())
    said = refused(sick, "ennio start --detach", "what it held was saved in")
    way = said.split("; ", 1)[1].split("   or ")[0]
    done = sick.sh(way)
    assert done.returncode == 0, done
    assert session in sick.sh("ennio status").stdout


def test_a_database_of_which_a_copy_was_saved_is_begun_anew_by_order(sick: Sick) -> None:
    (sick.folder / "ennio.db.saved-20260101-000000").write_text("")
    refused(sick, "ennio start --detach", "ennio start --new-database")
    assert sick.sh("ennio start --detach --new-database").returncode == 0


def test_an_empty_database_beside_a_saved_copy_is_one_that_is_gone(sick: Sick) -> None:
    (sick.folder / "ennio.db").write_text("")
    assert "is empty" not in " ".join(sick.doctor())
    (sick.folder / "ennio.db.saved-20260101-000000").write_text("")
    sick.finds("is empty, and what it held was saved in")
    done = sick.sh("ennio start --detach")
    assert done.returncode == 5, done
    assert "ennio.db.saved-20260101-000000" in done.stderr
    assert "ennio start --new-database" in done.stderr
    assert sick.sh("ennio start --detach --new-database").returncode == 0


@pytest.mark.parametrize(
    ("at", "words"),
    [(0, "is not an SQLite database; name another"), (4096, "is damaged (")],
    ids=["not-one", "damaged"],
)
def test_a_broken_database_is_told_by_doctor_as_start_tells_it(
    sick: Sick, at: int, words: str
) -> None:
    runs(sick)
    assert sick.sh("ennio stop").returncode == 0
    assert "the database" not in " ".join(sick.doctor())
    file = sick.folder / "ennio.db"
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(b"\xa5" * 20_000)
    before = {path.name: path.read_bytes() for path in sick.folder.glob("ennio.db*")}
    (told,) = (what for what in sick.doctor() if "the database cannot be used" in what)
    assert {path.name: path.read_bytes() for path in sick.folder.glob("ennio.db*")} == before
    assert sick.sh("ennio doctor").returncode != 0
    said = refused(sick, "ennio start --detach", words)
    said = " ".join(said.partition("could not start: ")[2].split())
    assert said == told.partition("cannot be used: ")[2]


def test_what_is_left_of_a_damaged_database_is_gone_on_with(sick: Sick) -> None:
    need("sqlite3")
    runs(sick)
    session = spawned(sick, "--hold")
    assert sick.sh("ennio stop").returncode == 0
    file = sick.folder / "ennio.db"
    with file.open("r+b") as stream:  # one index; its rows stand elsewhere
        page, size = _page_of_an_index(file)
        stream.seek((page - 1) * size)
        stream.write(b"\xa5" * 64)
    said = refused(sick, "ennio start --detach", "is damaged (")
    way = re.sub(r"\s*\n\s*", " ", said).partition("left with `")[2].partition("`")[0]
    done = sick.sh(way)
    assert done.returncode == 0, done
    sick.write(top=f"database_url: sqlite:{file}.recovered\n")
    runs(sick)
    assert session in sick.sh("ennio status").stdout


def _page_of_an_index(file: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(file)) as base:
        (size,) = base.execute("PRAGMA page_size").fetchone()
        (page,) = base.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'sessions'"
        ).fetchone()
        return int(page), int(size)


def test_a_database_that_cannot_be_written_is_told_as_doctor_tells_it(sick: Sick) -> None:
    (sick.folder / "file").write_text("")
    sick.write(top=f"database_url: sqlite:{sick.folder}/file/ennio.db\n")
    way = sick.finds("is no folder")
    said = refused(sick, "ennio start --detach", f"is no folder; {way}")
    assert len(said.splitlines()) == 1, said


def test_a_supervisor_that_could_not_start_says_why_in_its_own_words_alone(sick: Sick) -> None:
    for log in ("text", "json"):
        sick.write(top=f"log_format: {log}\ndatabase_url: sqlite:/proc/none/ennio.db\n")
        said = refused(sick, "ennio start --detach", "the supervisor could not start: ")
        assert "gunicorn" not in said
        assert "/proc/none" in said


def test_a_port_that_a_stranger_has_is_told_alike_by_start_and_doctor(sick: Sick) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        sick.write(top=f"port: {port}\n")
        said = refused(sick, "ennio start --detach", f"port {port} on 127.0.0.1 is taken by ")
        assert "gunicorn" not in said
        who = said.split("is taken by ")[1].split(";")[0]
        assert f"is taken by {who}" in " ".join(sick.doctor())


# --- with one -------------------------------------------------------------------------------------


def test_one_that_runs_already_is_stopped(sick: Sick) -> None:
    runs(sick)
    heals(sick, "ennio start --detach", "it runs already")


def test_a_second_file_on_the_same_database_names_the_command_that_ends_the_first(
    sick: Sick,
) -> None:
    runs(sick)
    other = sick.place.home.parent / "work" / "other file.yaml"
    text = (sick.folder / "ennio.yaml").read_text()
    other.write_text(f"port: 0\n{text}")
    line = f"ennio start --detach --config '{other}'"
    heals(sick, line, "another supervisor works on")
    assert sick.sh(f"ennio stop --config '{other}'").returncode == 0


def test_a_token_that_was_spoilt_is_made_anew(sick: Sick) -> None:
    runs(sick)
    (token,) = (sick.place.home / "ennio" / "run").glob("*/api_token")
    token.write_text("spoilt")
    heals(sick, "ennio status", "does not take the token")
    token.unlink()
    heals(sick, "ennio status", "the token of the supervisor is gone")


@pytest.mark.parametrize("how", ["deleted", "another"])
def test_a_database_that_was_taken_away_is_gone_on_with(sick: Sick, how: str) -> None:
    runs(sick)
    session = spawned(sick, "--hold")
    file = sick.folder / "ennio.db"
    if how == "deleted":
        file.unlink()
    else:
        shutil.copy(file, sick.folder / "backup.db")
        (sick.folder / "backup.db").replace(file)

    def told() -> str:
        found = json.loads(sick.sh("ennio status --json").stdout)
        return str(found["database_problem"] or "")

    eventually(told, _PATIENT, "it is noticed")
    fine = [one["what"] for one in sick.findings() if one["level"] == "fine"]
    assert not [what for what in fine if what.startswith("database ")], "nobody calls it fine"
    assert "while Ennio ran" in " ".join(sick.doctor())
    way = way_out(told())
    done = sick.sh(way)
    assert done.returncode == 0, (way, done)
    assert session in sick.sh("ennio status").stdout
    assert not told()


def test_an_edited_file_is_taken_in_by_a_reload(sick: Sick) -> None:
    runs(sick)
    sick.write(more=", max_sessions: 7")
    said = sick.sh("ennio status")
    assert "has changed" in said.stdout + said.stderr
    assert sick.sh("ennio reload").returncode == 0
    said = sick.sh("ennio status")
    assert "has changed" not in said.stdout + said.stderr


def test_a_session_that_nobody_knows_is_found_in_the_list(sick: Sick) -> None:
    runs(sick)
    session = spawned(sick, "--hold")
    said = refused(sick, "ennio session info nosuch", "no session")
    assert session in sick.sh(way_out(said)).stdout


def test_a_held_one_is_released_and_an_exited_one_restored(sick: Sick) -> None:
    runs(sick)
    held = sick.sh("ennio spawn app -p hello --hold").stdout
    session = held.split()[1].rstrip(",")
    done = sick.sh(held.strip().rpartition("with: ")[2])
    assert done.returncode == 0, done
    eventually(lambda: status_of(sick, session) != "spawning", _PATIENT, "it began")
    refused(sick, f"ennio answer {session} yes", "asks nothing")


def test_a_message_to_an_exited_one_is_read_after_what_is_printed(sick: Sick) -> None:
    sick.write(more=", agent: command, agent_config: {passthrough: {run: 'exit 3'}}")
    runs(sick)
    session = spawned(sick)
    eventually(lambda: status_of(sick, session) == "exited", _PATIENT, "it ended")
    told = sick.sh(f"ennio send {session} hello").stdout
    assert sick.sh(told.strip().rpartition(": ")[2]).returncode == 0
    eventually(lambda: status_of(sick, session) == "exited", _PATIENT, "it ended again")
    said = refused(sick, f"ennio answer {session} yes", "nobody asks")
    assert sick.sh(way_out(said)).returncode == 0


def test_without_any_supervisor_one_begins_with_init(sick: Sick) -> None:
    (sick.folder / "ennio.yaml").unlink()
    said = sick.sh("ennio ls").stdout
    assert sick.sh(said.strip().rpartition(": ")[2]).returncode == 0
    runs(sick)
    assert str(sick.folder) in sick.sh("ennio ls").stdout


def test_what_is_held_is_released_by_what_holding_prints(sick: Sick) -> None:
    runs(sick)
    session = spawned(sick, "--hold")
    told = sick.sh(f"ennio queue hold {session}").stdout
    assert sick.sh(told.strip().rpartition("undo with: ")[2]).returncode == 0
    eventually(lambda: session not in sick.sh("ennio queue list").stdout, _PATIENT, "it is out")


def _switched(sick: Sick, workspace: Path) -> None:
    sick.place.git("switch", "-q", "-c", f"other-{workspace.name}", cwd=workspace)


def _moved(sick: Sick, workspace: Path) -> None:
    elsewhere = workspace.with_name(f"{workspace.name} elsewhere")
    sick.place.git("worktree", "move", str(workspace), str(elsewhere), cwd=sick.folder)


def _branchless(sick: Sick, workspace: Path) -> None:
    branch = sick.place.git("branch", "--show-current", cwd=workspace)
    sick.place.git("update-ref", "-d", f"refs/heads/{branch}", cwd=workspace)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_switched, "goes back"),
        (_moved, "brings it back"),
        (_branchless, "brings it back"),
    ],
)
def test_a_working_copy_that_was_led_astray_is_brought_back(
    sick: Sick, broken: Callable[[Sick, Path], None], words: str
) -> None:
    runs(sick)
    session = spawned(sick, "--wait")
    workspace = Home(sick.place.home / "ennio").root / "worktrees" / "app" / session
    assert workspace.is_dir()

    def why() -> str:
        return sick.sh(f"ennio session why {session}").stdout

    # what it commits after that would make its branch anew
    eventually(lambda: '"ready"' in sick.sh("ennio status --json").stdout, _PATIENT, "it rests")
    broken(sick, workspace)
    eventually(lambda: words in why(), _PATIENT, "it is noticed")
    way = way_out(re.sub(r"\n\s*", " ", why()))
    done = sick.sh(way)
    assert done.returncode == 0, (way, done)
    eventually(lambda: words not in why(), _PATIENT, "it is healed")


def test_each_step_of_the_first_hour_names_the_next_one(sick: Sick) -> None:
    runs(sick)
    told = sick.sh("ennio status").stdout
    spawn = told.partition("begin one with: ")[2].partition(" (")[0]
    done = sick.sh(f"{spawn.replace('PROJECT', 'app').replace('TEXT', 'hello')} --wait --json")
    assert done.returncode == 0, done
    session = json.loads(done.stdout)["id"]
    told = sick.sh("ennio budget list").stdout
    assert sick.sh(told.strip().rpartition("with: ")[2]).returncode == 0
    sick.env["ENNIO_TRUSTED_CONFIG_PATHS"] = ""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sick.write(more=", post_create: [echo hello]", top=f"port: {port}\n")
    trusted = sick.sh("ennio config trust")
    told = sick.sh(trusted.stderr.strip().rpartition("after: ")[2]).stdout
    assert "has changed" not in sick.sh("ennio status").stdout
    late = told.partition("waits for a restart (")[2].partition(")")[0]
    again = sick.sh(late)
    assert again.returncode == 0, (told, again)
    assert sick.sh("ennio reload").stdout.rstrip().endswith("means something else than before")
    told = sick.sh("ennio stop").stdout
    assert "1 agent keeps running; ennio start finds it again" in told
    runs(sick)
    assert status_of(sick, session) not in ("exited", "killed")
    assert sick.sh(f"ennio session kill {session}").returncode == 0


def test_a_repository_that_is_checked_out_is_given_a_bare_one_by_init(sick: Sick) -> None:
    sick.write(more=", scm_config: {plugin: local}")
    runs(sick)
    session = _with_pull_request(sick, "app")
    said = refused(sick, f"ennio pr merge {session}", "main is checked out in")
    for line in (f"ennio session kill {session}", "ennio stop", "rm ennio.yaml", way_out(said)):
        done = sick.sh(line)
        assert done.returncode == 0, (line, done)
    runs(sick)
    session = _with_pull_request(sick, "work")
    done = sick.sh(f"ennio pr merge {session}")
    assert done.returncode == 0, done
    assert sick.sh(f"ennio cleanup {session}").returncode == 0


def _with_pull_request(sick: Sick, project: str) -> str:
    """A session of this project that has opened one."""
    done = sick.sh(f"ennio spawn {project} -p x --agent scripted --runtime process --json")
    assert done.returncode == 0, done
    session = str(json.loads(done.stdout)["id"])

    def number() -> object:
        return json.loads(sick.sh(f"ennio session info {session} --json").stdout)["session"][
            "pr_number"
        ]

    eventually(number, _PATIENT, "it has a pull request")
    return session
