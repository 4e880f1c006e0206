"""A person reads what a session changed and says something about it: over the API and on the
command line, with a real git, a real terminal and an agent that takes what it is told.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ennio.http.address import known_token
from ennio.http.client import ApiClient
from ennio.machine.home import Home
from ennio.model.errors import Conflict, Invalid, NotFound
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

CHECK = 'printf "collecting\\n\\033[32mok\\033[0m 1\\nE   AssertionError: 3 != 4\\nbye\\n"; exit 1'
STORY = story(
    turn(
        "prompt",
        [
            {"edit": {"file": "app.py", "content": "one = 1\ntwo = 2\nthree = 3\n"}},
            {"commit": "Count"},
            "push",
            {"edit": {"file": "app.py", "content": "one = 1\ntwo = 2\nthree = 4\n"}},
            {"edit": {"file": "notes.md", "content": "not yet\n"}},
            {"say": "counted"},
        ],
    ),
    turn("message", [{"say": "heard"}]),
)


@dataclass(frozen=True)
class Read:
    """A house in which one session has changed something and opened its pull request."""

    house: Supervised
    session: str

    @property
    def client(self) -> ApiClient:
        return self.house.client

    @property
    def place(self) -> str:
        return f"/sessions/{self.session}"

    @property
    def token(self) -> str:
        found = known_token(Home(self.house.ground.home).run(self.house.ground.config))
        assert found is not None
        return found

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"{self.place}/messages")
        return [one for one in found if one["origin"] == "person"]

    def said(self, order: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = self.client.post_once(f"{self.place}/review", order)
        return told


def score(ground: Ground) -> dict[str, Any]:
    checks = {"checks": [{"name": "unit", "run": CHECK, "timeout": 60}]}
    return project(
        ground,
        agent_config=STORY,
        scm_config={"plugin": "local", "config": checks},
        reactions={"ci-failed": {"action": "notify"}},
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    with supervised(tmp_path_factory.mktemp("review"), score) as house:
        session = house.spawn()
        eventually(lambda: house.session(session)["pr_number"], 40, "its pull request is open")
        house.becomes(session, "ci_failed", "ci_fix_failed")
        yield Read(house, session)


def test_what_is_committed_and_what_is_not_are_told_file_by_file(read: Read) -> None:
    told = read.client.get(f"{read.place}/diff")
    assert {one["path"]: one["status"] for one in told["files"]} == {
        "app.py": "added",
        "notes.md": "added",
    }
    assert (told["added"], told["count"], told["until"], told["text"]) == (4, 2, "worktree", None)
    assert "three = 4" in read.client.get(f"{read.place}/diff/file", path="app.py")["text"]
    head = read.client.get(f"{read.place}/diff", until="head", patch="true")
    assert [one["path"] for one in head["files"]] == ["app.py"]
    assert "+three = 3" in head["text"]
    with pytest.raises(NotFound, match=r"\.\./app\.py is not changed"):
        read.client.get(f"{read.place}/diff/file", path="../app.py")


def test_a_list_that_is_known_is_not_sent_again_until_a_file_is_different(read: Read) -> None:
    address = f"{read.client.url}/api/v1{read.place}/diff/file?path=notes.md"

    def asked(known: str = "") -> tuple[int, str]:
        request = urllib.request.Request(address)  # noqa: S310 - our own supervisor
        request.add_header("Authorization", f"Bearer {read.token}")
        request.add_header("If-None-Match", known)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, answer.headers["ETag"]
        except urllib.error.HTTPError as error:
            return error.code, known

    _, tag = asked()
    assert asked(tag) == (304, tag)
    work = Path(read.house.session(read.session)["workspace_path"])
    (work / "notes.md").write_text("not yet!\n")
    status, other = asked(tag)
    assert (status, other != tag) == (200, True)
    (work / "notes.md").write_text("not yet\n")


def test_three_comments_on_lines_arrive_at_the_agent_as_one_message(read: Read) -> None:
    before = len(read.messages())
    heard = len(read.house.ground.taken(read.session))
    order = {
        "body": "Almost.",
        "comments": [
            {"path": "app.py", "line": 2, "quote": "two = 2", "body": "Why two?"},
            {"path": "README.md", "line": 1, "side": "old", "body": "Say more."},
            {"path": "notes.md", "body": "Commit it, or <script>remove</script> it."},
        ],
    }
    sent = read.said(order)
    assert (sent["comments"], sent["pull"], sent["problem"]) == (3, None, None)
    (message,) = read.messages()[before:]
    assert message["id"] == sent["message"]
    for words in (
        "has 3 comments",
        "Almost.",
        "1. app.py:2\n> two = 2\nWhy two?",
        "2. README.md:1 (as it was before)\nSay more.",
        "3. notes.md\nCommit it, or <script>remove</script> it.",
    ):
        assert words in message["text"]
    taken = eventually(
        lambda: read.house.ground.taken(read.session)[heard:], 30, "the agent takes it"
    )
    assert taken == [message["text"]]


def test_a_review_that_is_sent_again_under_its_key_is_there_once(read: Read) -> None:
    before = len(read.messages())
    work = Path(read.house.session(read.session)["workspace_path"])
    (work / "once.py").write_text("once = 1\n")
    order = {"comments": [{"path": "once.py", "line": 1, "body": "Once."}]}
    address = f"{read.client.url}/api/v1{read.place}/review"
    answers = []
    for _ in range(2):
        request = urllib.request.Request(address, json.dumps(order).encode())  # noqa: S310
        request.add_header("Authorization", f"Bearer {read.token}")
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", "review-once")
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            answers.append(json.loads(answer.read())["data"])
        (work / "once.py").unlink(missing_ok=True)
    assert answers[0] == answers[1]
    assert len(read.messages()) == before + 1


@pytest.mark.parametrize(
    ("comments", "field"),
    [
        ([], r"^comments: must be a list of 1 to 100"),
        ([{"path": "a", "body": "b"}, {"path": "a"}], r"^comments\[1\]\.body: is missing"),
        ([{"path": "a", "line": 0, "body": "b"}], r"^comments\[0\]\.line: 0"),
        ([{"path": "a", "line": 5, "end_line": 4, "body": "b"}], r"^comments\[0\]\.end_line: 4"),
        ([{"path": "a", "end_line": 4, "body": "b"}], r"^comments\[0\]\.line: is missing"),
        (
            [{"path": "app.py", "line": 4, "body": "b"}],
            r"^comments\[0\]\.line: app\.py has 3 lines, and no line 4$",
        ),
        (
            [
                {"path": "app.py", "line": 3, "body": "b"},
                {"path": "notes.md", "line": 1, "end_line": 2, "body": "b"},
            ],
            r"^comments\[1\]\.end_line: notes\.md has 1 line, and no line 2$",
        ),
        (
            [{"path": "nowhere.py", "line": 1, "body": "b"}],
            r"^comments\[0\]\.path: nowhere\.py is not there; paths begin at the repository's root$",
        ),
        ([{"path": "nowhere.py", "body": "b"}], r"^comments\[0\]\.path: nowhere\.py is not there"),
        (
            [{"path": "app.py", "line": 1, "side": "old", "body": "b"}],
            r"^comments\[0\]\.path: app\.py was not there before the change",
        ),
        (
            [{"path": "README.md", "line": 2, "side": "old", "body": "b"}],
            r"^comments\[0\]\.line: README\.md has 1 line, and no line 2$",
        ),
        (
            [{"path": ".git/HEAD", "body": "b"}],
            r"^comments\[0\]\.path: '\.git/HEAD' belongs to git",
        ),
        ([{"path": "a", "side": "up", "body": "b"}], r"^comments\[0\]\.side: 'up' is none of"),
        ([{"path": "../a", "body": "b"}], r"^comments\[0\]\.path: '\.\./a' is not a path"),
        ([{"path": "a", "body": " "}], r"^comments\[0\]\.body: is empty"),
        ([{"path": "a", "body": "b", "colour": 1}], r"^comments\[0\]: unknown field 'colour'"),
        (["a"], r"^comments\[0\]: must be an object"),
    ],
)
def test_a_comment_that_cannot_stand_names_its_field_and_nobody_is_told(
    read: Read, comments: list[Any], field: str
) -> None:
    before = [one["id"] for one in read.messages()]
    with pytest.raises(Invalid, match=field):
        read.said({"comments": comments})
    assert [one["id"] for one in read.messages()] == before


def test_what_a_reader_saw_of_the_code_is_taken_as_it_was(read: Read) -> None:
    comment = {"path": "app.py", "line": 99, "body": "About it", "quote": "four = 4"}
    assert read.said({"comments": [comment]})["comments"] == 1


def test_a_review_is_of_a_commit_that_the_session_has_and_of_a_place_in_it(read: Read) -> None:
    head = read.client.get(f"{read.place}/diff")["head"]
    good = {"path": "app.py", "line": 3, "body": "Then"}
    for known in (head, head[:7], head[:12].upper()):
        assert read.said({"comments": [good], "head": known})["comments"] == 1
    # what is not committed yet was seen beside the head
    assert read.said({"comments": [good | {"path": "notes.md", "line": 1}], "head": head})
    before = [one["id"] for one in read.messages()]
    for order, words in (
        ({"comments": [good], "head": "zzz"}, r"^head: 'zzz' is no commit; give 4 or more digits"),
        ({"comments": [good], "head": "HEAD"}, r"^head: 'HEAD' is no commit"),
        (
            {"comments": [good], "head": "0" * 40},
            rf"^head: '0{{40}}' is no commit that session {read.session} has; its last one: ",
        ),
        (
            {"comments": [good | {"quote": "three = 4"}], "head": "0" * 40},
            r"^head: '0{40}' is no commit that",
        ),
        (
            {"comments": [good | {"line": 99}], "head": head},
            r"^comments\[0\]\.line: app\.py has 3 lines, and no line 99$",
        ),
        (
            {"comments": [good | {"path": "no.py"}], "head": head},
            r"^comments\[0\]\.path: no\.py is",
        ),
    ):
        with pytest.raises(Invalid, match=words):
            read.said(order)
    assert [one["id"] for one in read.messages()] == before


def test_a_review_on_the_forge_too_is_told_to_the_agent_once(read: Read) -> None:
    number = read.house.session(read.session)["pr_number"]
    before = len(read.messages())
    sent = read.said(
        {
            "comments": [{"path": "app.py", "line": 3, "body": "Off by one?"}],
            "forge": True,
            "author": "ann",
        }
    )
    assert (sent["pull"], sent["problem"]) == (number, None)
    pull = read.client.get(f"/projects/score/pulls/{number}")
    (remark,) = [one for one in pull["comments"] if one["author"] == "ann"]
    assert (remark["body"], remark["path"], remark["line"], remark["own"]) == (
        *("Off by one?", "app.py", 3),
        True,
    )
    shown = read.house.ground.ennio("pr", "show", read.session).out
    assert "ann (the agent has it in a message) on app.py:3:" in shown
    eventually(lambda: read.messages()[-1]["delivered_at"], 30, "the agent has it")
    # a comment that is not told yet is told after it
    read.client.post(f"/projects/score/pulls/{number}/comment", {"body": "Later", "author": "bob"})
    eventually(
        lambda: any("Later" in text for text in read.house.ground.taken(read.session)),
        30,
        "what bob says is told",
    )
    told = [text for text in read.house.ground.taken(read.session) if "Off by one?" in text]
    assert len(told) == 1
    assert len(read.messages()) == before + 1


def test_a_head_that_is_another_by_now_is_said_and_the_agent_has_its_message(read: Read) -> None:
    base = read.client.get(f"{read.place}/diff")["base"]
    sent = read.said({"comments": [{"path": "app.py", "body": "x"}], "forge": True, "head": base})
    assert sent["pull"] is None
    assert "which you saw" in sent["problem"]


def test_a_place_that_the_pull_request_does_not_have_is_said_and_the_agent_has_its_message(
    read: Read,
) -> None:
    sent = read.said({"comments": [{"path": "notes.md", "body": "Commit it."}], "forge": True})
    assert sent["pull"] is None
    assert "path: there is no notes.md in #" in sent["problem"]
    assert read.messages()[-1]["id"] == sent["message"]


def test_the_log_of_a_check_is_whole_and_opens_where_it_failed(read: Read) -> None:
    told = read.client.get(f"{read.place}/checks/unit/log")
    first, rest = told["text"].split("\n", 1)
    assert first.startswith("$ printf"), "what was run, which tells of no failure"
    assert rest == "collecting\nok 1\nE   AssertionError: 3 != 4\nbye\n"
    begin = told["text"].index("\nE   Assertion") + 1
    assert (told["failing"], told["state"]) == ({"line": 4, "offset": begin}, "failing")
    assert told["next"] is None
    asked = {"offset": begin + 2, "bytes": 28}
    part = read.client.get(f"{read.place}/checks/unit/log", **asked)
    assert (part["text"], part["offset"]) == ("E   AssertionError: 3 != 4\n", begin)
    assert (part["line"], part["next"]) == (4, begin + 27)
    with pytest.raises(NotFound, match="there are: unit"):
        read.client.get(f"{read.place}/checks/nothing/log")


def test_the_command_line_shows_the_same_and_says_the_same(read: Read) -> None:
    ground = read.house.ground
    stat = ground.ennio("diff", read.session, "--stat")
    assert stat.code == 0, stat.err
    assert "app.py    added       3        0" in stat.out
    assert "not known to git yet" in stat.out
    assert "2 files  +4  -0  since" in stat.out
    assert "+three = 4" in ground.ennio("diff", read.session).out
    assert "+three = 3" in ground.ennio("diff", read.session, "--committed").out
    one = ground.ennio("diff", read.session, "notes.md", "--json").document
    assert (one["file"]["path"], one["file"]["untracked"]) == ("notes.md", True)
    assert ground.ennio("diff", read.session, "nowhere").code == 3
    before = len(read.messages())
    said = ground.ennio(
        *("review", read.session, "-c", "app.py:1-2", "Short names", "-c", "notes.md", "Why?")
    )
    assert "2 comments wait for" in said.out
    assert "1. app.py:1-2\nShort names" in read.messages()[-1]["text"]
    given = json.dumps([{"path": "app.py", "line": 1, "body": "From a file"}])
    said = ground.ennio("review", read.session, "--file", "-", given=given)
    assert said.code == 0, said.err
    assert len(read.messages()) == before + 2
    wrong = ground.ennio("review", read.session, "-c", "app.py:9-2", "x")
    assert wrong.code == 2
    assert "comments[0].end_line: 2 is before line 9" in wrong.err


def test_who_has_no_pull_request_is_told_so_before_anything_is_sent(read: Read) -> None:
    held = read.house.spawn("Wait", held=True)
    with pytest.raises(NotFound, match="no working copy yet"):
        read.client.get(f"/sessions/{held}/diff")
    with pytest.raises(Conflict, match="no pull request yet"):
        read.client.post(
            f"/sessions/{held}/review", {"comments": [{"path": "a", "body": "b"}], "forge": True}
        )
    assert read.client.get(f"/sessions/{held}/messages") == []
