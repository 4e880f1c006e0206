"""The door for links of notices: open to whoever has one, and to nobody who guesses."""

from __future__ import annotations

from typing import Any

import falcon.testing

from tests.http.api import Api

NOBODY = {"Authorization": ""}


def _press(api: Api, link: Any, **headers: str) -> falcon.testing.Result:
    return api.ask("POST", "/answers", json={"link": link}, headers=NOBODY | headers)


def test_a_link_needs_no_token_and_says_what_it_answered(api: Api) -> None:
    assert _press(api, "good-red").json["data"] == {"session": "ma-1", "answer": "red"}


def test_what_is_no_link_is_refused_in_words(api: Api) -> None:
    answer = _press(api, "bad")
    assert answer.status_code == 401
    assert "no link that answers a question" in answer.json["error"]
    for wrong in (None, 7, "", ["good-red"], "x" * 201):
        assert _press(api, wrong).status_code == 400, wrong
    assert api.ask("POST", "/answers", headers=NOBODY).status_code == 400
    assert api.ask("GET", "/answers?link=good-red", headers=NOBODY).status_code == 405


def test_a_link_is_taken_from_no_foreign_page_form_or_name(api: Api) -> None:
    assert _press(api, "good-red", Origin="http://evil.example").status_code == 403
    assert _press(api, "good-red", Host="evil.example").status_code == 421
    form = {"Content-Type": "application/x-www-form-urlencoded"} | NOBODY
    assert api.ask("POST", "/answers", body="link=good-red", headers=form).status_code == 415


def test_who_presses_many_that_hold_no_more_keeps_nobody_from_the_right_one(api: Api) -> None:
    assert [_press(api, f"bad{n}").status_code for n in range(50)] == [401] * 50
    assert _press(api, "good-red").status_code == 200
