"""The way out that is printed about a session, done word by word: what it says is so then. One
supervisor for all; each test has a session, or a project, of its own.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ennio.http.address import read
from ennio.http.idempotency import HEADER
from ennio.http.resources.sessions import AnswerBody
from ennio.machine.home import Home
from ennio.model.codec import to_json
from ennio.model.idempotency import IdempotentRequest
from ennio.store.columns import encode
from tests.cli.conftest import Place
from tests.cli.sick import Sick, refused, runs, sick_at, way_out
from tests.conftest import eventually
from tests.ssh.sshd import sshd

_PATIENT = 60.0
_ASKS = "{'on': prompt, steps: [ask: {question: 'Which colour?', options: [red, green]}]}"
_BURNS = (
    "{'on': prompt, steps: [{burn: {input: 9, output: 9, cost: '1.20'}}, {think: 400}]}, "
    "{'on': message, steps: [{burn: {input: 9, output: 9, cost: '9.00'}}, {think: 400}]}"
)
_RESTS = "{'on': prompt, steps: [{burn: {input: 9, output: 9, cost: '1.20'}}, {say: done}]}"
_PARKS = (
    "{'on': prompt, steps: [{window: {name: five_hour, resets_in: 3s}}]}, "
    "{'on': message, steps: [{say: I go on}, {think: 600}]}"
)


class House:
    """A supervisor over several projects of one repository, and what is typed in its folder."""

    def __init__(self, sick: Sick, hub: Path) -> None:
        self.sick, self.hub = sick, hub
        self.file = sick.folder / "ennio.yaml"
        here = f"repo: {hub}, path: {sick.folder}, scm_config: {{plugin: local"
        checked = f"{here}, config: {{checks: [{{name: tests, run: echo checked}}]}}}}"
        plain = f"{here}}}"
        self.projects = {
            "app": checked,
            "asks": f"{plain}, {_story(_ASKS)}",
            "judged": f"{here}, config: {{review_required: true}}}}",
            "dear": f"{plain}, {_story(_BURNS)}",
            "rests": f"{plain}, {_story(_RESTS)}",
            "parks": f"{plain}, {_story(_PARKS, speed=1)}",
            "filed": plain,
            "leaves": plain,
            "turned": f"{plain}, agent: command, agent_config: {{passthrough: {{run: sleep 600}}}}",
            "ends": f"{plain}, agent: command, agent_config: {{passthrough: {{run: exit 3}}}}",
            "there": f"repo: {hub}, path: '{sick.place.home}/a clone of it'",
        }
        self.budgets = "[{scope: project, id: filed, limit_usd: 1}]"
        self.write()

    def write(self) -> None:
        """The file, of the projects there are."""
        lines = [f"  - {{name: {name}, {rest}}}" for name, rest in self.projects.items()]
        top = "defaults: {agent: scripted, runtime: process}\n"
        budgets = f"budgets: {self.budgets}\n" if self.budgets else ""
        self.file.write_text("\n".join([f"{top}{budgets}projects:", *lines, ""]))

    def does(self, line: str) -> str:
        """What a line that goes through prints."""
        done = self.sick.sh(line)
        assert done.returncode == 0, (line, done)
        return done.stdout

    def spawned(self, project: str, *more: str) -> str:
        """The id of a session whose agent is there."""
        told = self.does(f"ennio spawn {project} -p hello --wait --json {' '.join(more)}")
        return str(json.loads(told)["id"])

    def session(self, session: str) -> dict[str, Any]:
        found = json.loads(self.does("ennio status --json --all"))["sessions"]
        return next(dict(one) for one in found if one["id"] == session)

    def why(self, session: str) -> str:
        """As ``session why`` tells it, on one line."""
        return re.sub(r"\s*\n\s*", " ", self.does(f"ennio session why {session}"))

    def workspace(self, session: str) -> Path:
        return Path(self.session(session)["workspace_path"])

    def begun(self, key: str, session: str, answer: str) -> None:
        """As if a supervisor had been killed while it typed this answer."""
        order = to_json(AnswerBody(answer))
        request = IdempotentRequest.of(key, "POST", f"/api/v1/sessions/{session}/answer", order)
        row = key, request.digest, session, encode(datetime.now(UTC))
        with closing(sqlite3.connect(self.file.parent / "ennio.db", timeout=30)) as database:
            database.execute(
                "INSERT INTO idempotency_keys (key, digest, subject, at) VALUES (?, ?, ?, ?)", row
            )
            database.commit()

    def asked(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> tuple[int, str]:
        """What the API answers to who has the token."""
        directory = Home(self.sick.place.home / "ennio").run(self.file)
        address = read(directory)
        assert address is not None
        words = None if body is None else json.dumps(body).encode()
        token = (directory / "api_token").read_text().strip()
        head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        head |= {HEADER: key} if key else {}
        order = urllib.request.Request(  # noqa: S310 - an address of ours
            f"{address.url}/api/v1{path}", words, head, method=method
        )
        try:
            with urllib.request.urlopen(order, timeout=20) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, str(json.loads(error.read())["error"])


def _story(turns: str, speed: int = 20) -> str:
    return f"agent_config: {{passthrough: {{story: [{turns}], speed: {speed}}}}}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("ways")
    for name in ("work", "home"):
        (root / name).mkdir()
    with sick_at(Place(root / "work", root / "home")) as sick:
        sick.env["ENNIO_CHAOS"] = "1"
        sick.place.git("clone", "-q", "--bare", ".", str(root / "hub.git"))
        made = House(sick, root / "hub.git")
        runs(sick)
        yield made
        for one in json.loads(sick.sh("ennio status --json").stdout)["sessions"]:
            sick.sh(f"ennio session kill {one['id']}")


# --- words for its agent --------------------------------------------------------------------------


def test_one_that_asks_nothing_is_given_its_words_by_send(house: House) -> None:
    session = house.spawned("app")

    def answered() -> str:
        return refused(house.sick, f"ennio answer {session} yes", "")

    eventually(lambda: "asks nothing just now" in answered(), _PATIENT, "it does nothing else")
    house.does(way_out(answered()))
    assert "TEXT" in house.does(f"ennio messages {session}")


def test_what_a_link_would_not_answer_is_answered_by_the_command_it_names(house: House) -> None:
    session = house.spawned("asks")
    eventually(lambda: house.session(session)["activity"] == "waiting_input", _PATIENT, "it asks")
    code, said = house.asked("POST", "/answers", {"link": "no-such-link"})
    assert code == 401, said
    house.does(way_out(said).replace("SESSION", session).replace("TEXT", "green"))
    eventually(lambda: not house.session(session)["question"], _PATIENT, "it asks no more")


def test_what_nobody_knows_to_be_answered_is_seen_and_answered_as_is_printed(house: House) -> None:
    session = house.spawned("asks")
    eventually(lambda: house.session(session)["activity"] == "waiting_input", _PATIENT, "it asks")
    house.begun("k-1", session, "green")
    code, said = house.asked("POST", f"/sessions/{session}/answer", {"answer": "green"}, "k-1")
    assert (code, "begun before" in said) == (409, True), said
    look, again = re.findall("`(ennio [^`]+)`", said)
    house.does(look)
    house.does(again)
    eventually(lambda: not house.session(session)["question"], _PATIENT, "it asks no more")


# --- its working copy -----------------------------------------------------------------------------


def test_what_is_killed_is_cleaned_up_shown_and_brought_back_as_is_printed(house: House) -> None:
    session = house.spawned("app")
    workspace = house.workspace(session)
    # what is written before that would be committed with its own
    eventually(lambda: house.session(session)["activity"] == "ready", _PATIENT, "it rests")
    (workspace / "left.txt").write_text("mine\n")
    told = house.does(f"ennio session kill {session}")
    said = refused(house.sick, f"ennio session restore {session}", "which is for good")
    again = way_out(said).replace("PROJECT", "app").replace("TEXT", "again")
    assert json.loads(house.does(f"{again} --hold --json"))["project_id"] == "app"
    assert told.strip().endswith(f"ennio cleanup {session}"), told
    house.does(told.strip().rpartition("with: ")[2])
    eventually(lambda: not workspace.exists(), _PATIENT, "it is gone")
    shown = house.does(f"ennio preserved show {session}").splitlines()
    changes, back = (line.partition(": ")[2] for line in shown[-2:])
    assert "left.txt" in house.does(changes)
    told = house.does(back)
    assert "left.txt" in house.does(told.strip().rpartition("now: ")[2])


def test_what_is_merged_is_not_killed_but_cleaned_up(house: House) -> None:
    session = house.spawned("filed")
    eventually(lambda: house.session(session)["pr_number"], _PATIENT, "it has a pull request")
    house.does(f"ennio pr merge {session}")
    eventually(lambda: house.session(session)["status"] == "merged", _PATIENT, "it is merged")
    said = refused(house.sick, f"ennio session kill {session}", "there is nothing to kill")
    workspace = house.workspace(session)
    house.does(way_out(said))
    eventually(lambda: not workspace.exists(), _PATIENT, "it is gone")


def test_a_working_copy_that_was_deleted_is_made_again(house: House) -> None:
    session = house.spawned("app")
    workspace = house.workspace(session)
    shutil.rmtree(workspace)
    eventually(lambda: "is gone" in house.why(session), _PATIENT, "it is noticed")
    said = house.why(session)
    way = f"ennio session restore {session}"
    assert f"`{way}` makes it again" in said
    eventually(lambda: house.session(session)["turn_why"].endswith(f": {way}"), _PATIENT, "status")
    house.does(way)
    eventually((workspace / ".git").exists, _PATIENT, "it is there again")
    eventually(lambda: way not in house.why(session), _PATIENT, "and nobody asks for it any more")


def test_a_working_copy_that_somebody_locked_is_unlocked(house: House) -> None:
    session = house.spawned("app")
    workspace = house.workspace(session)
    house.does(f"ennio session kill {session}")
    house.does(f"git worktree lock --reason 'I look at it' {workspace}")
    said = house.does(f"ennio cleanup {session}")
    assert "is locked (I look at it)" in said
    (way,) = re.findall(r"git -C \S+ worktree unlock \S+", said)
    house.does(f"cd / && {way}")
    house.does(f"ennio cleanup {session}")
    eventually(lambda: not workspace.exists(), _PATIENT, "it is gone")


def test_a_path_that_is_not_there_is_cloned(house: House) -> None:
    said = refused(house.sick, "ennio spawn there -p hello", "does not exist: git clone")
    house.does(said.strip().partition("does not exist: ")[2])
    session = house.spawned("there")
    assert house.session(session)["status"] != "exited"


def test_a_branch_that_went_two_ways_is_brought_together(house: House) -> None:
    git = house.sick.place.git
    there, here = (
        git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", f"of {who}") for who in ("them", "us")
    )
    git("push", "-q", str(house.hub), f"{there}:refs/heads/two-ways")
    git("branch", "two-ways", here)
    said = refused(house.sick, "ennio spawn app -p x -b two-ways --wait", "gone different ways")
    (way,) = set(re.findall(r"git -C \S+ branch -f two-ways \S+", said))
    house.does(way)
    (session,) = set(re.findall(r"\b(\w+-[0-9a-f]{8}) is exited", said))
    house.does(f"ennio session restore {session}")
    eventually(lambda: house.session(session)["status"] != "exited", _PATIENT, "it lives")
    assert there in git("rev-list", "two-ways")


def test_the_branch_of_one_that_has_ended_is_had_by_what_is_printed(house: House) -> None:
    order = "ennio spawn ends -p hello -b kept --json"
    session = str(json.loads(house.does(order))["id"])

    def launches() -> int:
        told = house.does(f"ennio events --session {session} --json")
        return told.count('"launched"')

    eventually(lambda: house.session(session)["status"] == "exited", _PATIENT, "it ended")
    said = refused(house.sick, order, f"kept belongs to session {session} (exited)")
    restore, cleanup = re.findall(r"`(ennio [^`]+)`", said)
    before = launches()
    house.does(restore)
    eventually(lambda: launches() > before, _PATIENT, "it began again")
    eventually(lambda: house.session(session)["status"] == "exited", _PATIENT, "it ended again")
    house.does(cleanup)
    eventually(lambda: house.sick.sh(order).returncode == 0, _PATIENT, "its branch is free")


def test_a_branch_that_a_working_copy_holds_is_freed_by_what_is_printed(house: House) -> None:
    session = house.spawned("turned", "-b held")
    held, order = "branch held is checked out in", "ennio spawn app -p hello -b held"
    refused(house.sick, order, f"held belongs to session {session}")  # of the same repository
    house.does(f"ennio session kill {session}")
    eventually(lambda: house.session(session)["status"] == "killed", _PATIENT, "it ended")
    refused(house.sick, "ennio spawn turned -p hello -b held", held)
    said = refused(house.sick, order, held)
    way = way_out(said)
    assert way == f"ennio cleanup {session} --force"
    house.does(way)
    eventually(lambda: house.sick.sh(order).returncode == 0, _PATIENT, "its branch is free")


def test_a_branch_that_a_person_has_checked_out_is_refused_at_once(house: House) -> None:
    place = house.sick.place
    place.git("worktree", "add", "-q", "-b", "by-hand", str(place.home / "by hand"))
    said = refused(house.sick, "ennio spawn app -p x -b by-hand", "branch by-hand is checked out")
    assert "give the session another branch" in said
    assert "ennio cleanup" not in said


# --- its pull request, its queue, its actor -------------------------------------------------------


def test_a_check_whose_log_is_lost_is_run_again(house: House) -> None:
    session = house.spawned("app")
    log = f"/sessions/{session}/checks/tests/log"

    def told() -> bool:
        code, said = house.asked("GET", log)
        return code == 200 and "checked" in said

    eventually(told, _PATIENT, "the check has run")
    lost = [one for one in house.sick.place.home.rglob("*") if one.is_file() and _is_log(one)]
    assert lost
    for one in lost:
        one.unlink()
    code, said = house.asked("GET", log)
    assert (code, "cannot be read" in said) == (404, True), said
    house.does(said.rpartition("with: ")[2])
    eventually(told, _PATIENT, "it ran again")


def _is_log(file: Path) -> bool:
    with suppress(OSError):
        return b"checked" in file.read_bytes() and file.suffix == ".log"
    return False


def test_one_that_waits_for_a_review_is_given_one_and_merged(house: House) -> None:
    session = house.spawned("judged")
    eventually(lambda: house.session(session)["pr_number"], _PATIENT, "it has a pull request")
    order = f"ennio pr merge {session}"
    said = refused(house.sick, order, "it waits for a review")
    house.does(way_out(said))
    house.does(order)


def test_one_that_was_looked_at_before_a_push_is_looked_at_again(house: House) -> None:
    session = house.spawned("judged")
    eventually(lambda: house.session(session)["pr_number"], _PATIENT, "it has a pull request")
    number = house.session(session)["pr_number"]
    code, said = house.asked("POST", f"/projects/judged/pulls/{number}/merge", {"head": "0123456"})
    assert (code, "is not merged: its head is" in said) == (409, True), said
    assert house.does(way_out(said))


def test_one_that_waits_for_a_person_leaves_the_queue(house: House) -> None:
    with sshd(own=True) as server:
        key = f"auth: {{type: key, path: {server.account().key}}}"
        host = (
            f"host: 127.0.0.1, port: {server.port}, username: {pwd.getpwuid(os.geteuid()).pw_name}"
        )
        house.projects["far"] = (
            f"repo: {house.hub}, path: /nowhere, runtime: tmux, ssh_config: {{{host}, {key}, "
            f"known_hosts_path: {house.hub}.none}}, "
            f"scm_config: {{plugin: local, config: {{hub: {house.hub}}}}}"
        )
        house.write()
        house.does("ennio reload")
        said = refused(house.sick, "ennio spawn far -p x --wait", "it starts once that is mended")
        way = said.strip().rpartition("or: ")[2]
        house.does(way)
        assert way.split()[-1] not in house.does("ennio queue list")
        del house.projects["far"]
        house.write()
        house.does("ennio reload")


def test_one_that_nobody_watches_is_watched_again_at_once(house: House) -> None:
    session = house.spawned("app")

    def crashed() -> bool:
        house.asked("POST", "/chaos/crash", {"actor": f"session:{session}"})
        return "nobody watches it" in (house.session(session)["reason"] or "")

    eventually(crashed, _PATIENT, "it is given up")
    said = refused(house.sick, f"ennio interrupt {session}", "nobody watches session")
    way = way_out(said)
    assert f"`{way}` tries again now" in house.session(session)["reason"]
    house.sick.sh(way)
    eventually(
        lambda: "nobody watches" not in (house.session(session)["reason"] or ""), _PATIENT, "it is"
    )
    house.does(f"ennio send {session} hello")


# --- what it may use ------------------------------------------------------------------------------


def test_a_session_that_a_budget_holds_has_three_ways_on(house: House) -> None:
    house.does("ennio budget set project dear --limit 1")
    session = house.spawned("dear")

    def held() -> str:
        return str(house.session(session)["paused"] or "")

    eventually(held, _PATIENT, "it is paused")
    more, last, end = re.findall(
        r"ennio (?:budget|session) [^,;]*?(?= (?:gives|lets|ends))", held()
    )
    house.does(more.replace("USD", "5"))
    eventually(lambda: "$10.20 of $6.00" in held(), _PATIENT, "it went on, and used that up")
    eventually(lambda: house.session(session)["activity"] == "ready", _PATIENT, "it rests")
    house.does(last)
    eventually(lambda: house.session(session)["activity"] == "active", _PATIENT, "it goes on")
    house.does(end)
    eventually(lambda: house.session(session)["status"] == "killed", _PATIENT, "it is ended")
    said = refused(house.sick, "ennio spawn dear -p hello", "is used up")
    house.does(said.strip().rpartition("by: ")[2].replace("USD", "50"))
    house.does("ennio spawn dear -p hello --dry-run")


def test_one_that_rests_while_it_is_paused_is_given_more(house: House) -> None:
    session = house.spawned("rests")
    eventually(lambda: house.session(session)["activity"] == "ready", _PATIENT, "it rests")
    house.does("ennio budget set project rests --limit 1")
    eventually(lambda: house.session(session)["paused"], _PATIENT, "it is paused")
    said = refused(house.sick, f"ennio budget go-on {session}", "there is no turn to go on with")
    house.does(said.partition("by: ")[2].partition("   (")[0].replace("USD", "5"))
    eventually(lambda: not house.session(session)["paused"], _PATIENT, "it is paused no more")


def test_a_budget_of_the_file_is_changed_there(house: House) -> None:
    said = refused(house.sick, "ennio budget remove project:filed:total", "is defined in")
    assert f"{house.file}:" in said
    house.does("ennio budget raise project:filed:total --by 50")
    house.budgets = house.budgets.replace("limit_usd: 1", "limit_usd: 2")
    house.write()
    house.does(said.strip().rpartition("then: ")[2])
    listed = json.loads(house.does("ennio budget list --json"))
    (filed,) = [one for one in listed if one["name"] == "project:filed:total"]
    assert (float(filed["limit"]), float(filed["raised_usd"])) == (2, 0), (
        "the raise was of the limit before"
    )
    house.budgets = ""
    house.write()
    house.does(said.strip().rpartition("then: ")[2])
    assert "project:filed:total" not in house.does("ennio budget list")


def test_a_budget_of_each_that_has_no_room_for_any_session_is_set_anew(house: House) -> None:
    house.does("ennio budget set session --tokens 0")
    said = refused(house.sick, "ennio spawn rests -p hello", "session:each:total is used up")
    house.does(said.strip().rpartition("by: ")[2].replace("NUMBER", "9000000"))
    house.does("ennio spawn rests -p hello --dry-run")
    house.does("ennio budget remove session:each:total")
    held = house.budgets
    house.budgets = "[{scope: session, limit_tokens: 0}]"
    house.write()
    house.does("ennio reload")
    said = refused(house.sick, "ennio spawn rests -p hello", "session:each:total is used up")
    assert f"limit_tokens in {house.file}:" in said
    house.budgets = held
    house.write()
    house.does(said.strip().rpartition("then: ")[2])
    house.does("ennio spawn rests -p hello --dry-run")


def test_one_whose_plan_is_used_up_goes_on_by_what_its_notice_says(house: House) -> None:
    session = house.spawned("parks")

    def told() -> list[str]:
        return re.findall(
            rf"has reset .*`(ennio session resume {session})` lets it go on",
            re.sub(r"\s*\n\s*", " ", house.does("ennio notices")),
        )

    eventually(told, _PATIENT, "a person is asked")
    house.does(told()[0])
    eventually(lambda: house.session(session)["activity"] == "active", _PATIENT, "it goes on")


# --- an edited file -------------------------------------------------------------------------------


def test_a_session_whose_project_left_the_file_is_watched_again_or_ended(house: House) -> None:
    kept, ended = house.spawned("leaves"), house.spawned("leaves")
    rest = house.projects.pop("leaves")
    house.write()
    house.does("ennio reload")
    eventually(lambda: "nobody watches it" in house.why(ended), _PATIENT, "it is noticed")
    said = house.why(ended)
    assert "put that back under this project_id and then ennio reload, or" in said
    told = house.does(re.findall(rf"ennio session kill {ended}", said)[0]).strip()
    assert "its workspace stays, as its project leaves is not in the configuration" in told
    assert house.session(ended)["status"] == "killed"
    workspace = house.workspace(ended)
    house.projects["leaves"] = rest
    house.write()
    house.does("ennio reload")
    eventually(lambda: "nobody watches it" not in house.why(kept), _PATIENT, "it is watched")
    house.does(told.rpartition("with: ")[2])
    eventually(lambda: not workspace.exists(), _PATIENT, "it is gone")


def test_an_agent_that_its_settings_do_not_fit_any_more_is_had_again(house: House) -> None:
    session = house.spawned("turned")
    before = house.projects["turned"]
    house.projects["turned"] = f"{before.partition(', agent: ')[0]}, {_story(_RESTS)}"
    house.write()
    house.does("ennio reload --trust")
    eventually(lambda: "cannot be had with the settings" in house.why(session), _PATIENT, "why")
    assert "put back those it began with, and ennio reload" in house.why(session)
    house.projects["turned"] = before
    house.write()
    house.does("ennio reload")
    eventually(lambda: "cannot be had" not in house.why(session), _PATIENT, "it can be had")
