"""Branches that will not merge with each other are told of before anybody merges one."""

from __future__ import annotations

import base64
from collections import Counter
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

SAME = [
    {"edit": {"file": "README.md", "content": "# {session}\n"}},
    {"commit": "Rename it"},
    "push",
    {"summary": "Renamed the score."},
]
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PICTURE = f"import base64; open('shot.png', 'wb').write(base64.b64decode('{DOT}'))"
SAYS = "Added it: ![a dot](shot.png), see page.html, [and this](../../outside.txt)"
APART = [
    {"edit": {"file": "{session}.md", "content": "apart\n"}},
    {"edit": {"file": "page.html", "content": "<script>alert(1)</script>\n"}},
    {"run": {"argv": ["python3", "-c", PICTURE]}},
    {"burn": {"input": 1200, "output": 300, "cost": "0.0081"}},
    {"commit": "Add a file"},
    "push",
    {"summary": SAYS},
]
PLAYED = story(turn("prompt", APART, when="^apart"), turn("prompt", SAME), turn("message", APART))


def _expected(house: Supervised) -> list[tuple[str, str, list[str]]]:
    report = house.ground.ennio("conflicts", "--json").document
    return [(one["one"], one["other"], one["paths"]) for one in report["conflicts"]]


def _with(house: Supervised, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.session(name)["conflicts"]
    return found


def _told(house: Supervised, name: str) -> Counter[str]:
    kinds = (one["event_type"] for one in house.events(session_id=name))
    return Counter(kind for kind in kinds if kind.startswith("conflict_"))


def _raw(house: Supervised, path: str) -> tuple[int, Message, bytes]:
    token = house.client._token
    connection = HTTPConnection("127.0.0.1", urlsplit(house.client.url).port or 0, timeout=20)
    connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    with connection.getresponse() as answer:
        return answer.status, answer.headers, answer.read()


def _is_packed(house: Supervised, name: str) -> None:
    """The page to review it from, with what its agent said and showed; nothing of that is run."""
    eventually(lambda: house.session(name)["summary"] == SAYS, 40, "its turn is over")
    eventually(lambda: house.session(name)["pr_number"], 40, "its pull request is open")
    pack = house.ground.ennio("pr", "pack", name, "--json").document
    assert pack["said"] == SAYS
    files = {one["path"]: (one["kind"], one["refused"][:17]) for one in pack["files"]}
    assert files == {
        "shot.png": ("image", ""),
        "page.html": ("text", ""),
        "../../outside.txt": ("other", "../../outside.txt"),
    }
    assert (pack["changes"]["count"], pack["changes"]["added"]) == (3, 2)
    assert pack["pull"]["number"] == house.session(name)["pr_number"]
    assert pack["cost"]["amount"] == "0.0081"
    assert pack["problems"] == []
    shown = house.ground.ennio("pr", "pack", name).out
    assert "shot.png  image/png, 70 B" in shown
    assert "it is out of the session's working copy, and is not shown" in shown

    status, headers, body = _raw(house, f"/sessions/{name}/pack/file?path=shot.png")
    assert (status, headers["Content-Type"], body) == (200, "image/png", base64.b64decode(DOT))
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, _ = _raw(house, f"/sessions/{name}/pack/file?path=page.html")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    for path in ("README.md", "../../outside.txt", "/etc/passwd"):
        assert _raw(house, f"/sessions/{name}/pack/file?path={path}")[0] in (404, 409), path


def test_two_agents_at_one_file_are_told_of_before_either_is_merged(tmp_path: Path) -> None:
    def playing(ground: Ground) -> dict[str, Any]:
        return project(ground, agent_config=PLAYED)

    with supervised(tmp_path, playing) as house:
        one, other = house.spawn("Rename it"), house.spawn("Rename it too")
        beside = house.spawn("apart from them")
        pair = sorted((one, other))
        eventually(lambda: _expected(house) == [(*pair, ["README.md"])], 40, "it is foreseen")
        assert [(each["with"], each["branch"]) for each in _with(house, one)] == [(other, other)]
        assert _with(house, beside) == []
        assert _told(house, one) == _told(house, other) == {"conflict_expected": 1}

        _is_packed(house, beside)
        house.kill_worker()
        house.answers()
        assert _expected(house) == [(*pair, ["README.md"])], "a restart forgets nothing"

        eventually(lambda: house.session(one)["pr_number"], 40, "its pull request is open")
        house.becomes(one, "ci_passing", "pr_open", "approved", "review_pending")
        warning = f"a conflict is expected with {other}: README.md"
        assert warning in house.ground.ennio("pr", "show", one).out
        approved = house.ground.ennio("pr", "approve", one)
        assert (approved.code, warning in approved.err) == (0, True), approved.err
        merged = house.ground.ennio("pr", "merge", one)
        assert (merged.code, warning in merged.err) == (0, True), merged.err
        eventually(lambda: _expected(house) == [], 40, "who is merged is not expected any more")
        assert _told(house, other) == {"conflict_expected": 1, "conflict_gone": 1}
