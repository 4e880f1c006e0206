"""What a request may carry, and how it is told what is wrong."""

from __future__ import annotations

import json
import re
from enum import StrEnum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.http.openapi.document import METHODS, document
from ennio.http.routes import ROUTES
from ennio.model.errors import Invalid
from ennio.model.name_field import NameField
from ennio.model.request_body import parse_object
from ennio.model.request_fields import (
    BODY_LIMIT,
    ChoiceListField,
    FlagField,
    NumberField,
    TextField,
    TextListField,
    identifier,
    request_fields,
)
from tests.http.api import Api
from tests.properties import examples

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b'{"project_id": NaN}', "NaN"),
        (b'{"project_id": Infinity}', "Infinity"),
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b"[]", "object"),
        (b'"x"', "object"),
        (b"{", "JSON"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 50_000 + b"1", "nested"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "JSON"),
        (b'{"a": "x\ny"}', "JSON"),
        (b"\xef\xbb\xbf{}", "JSON"),
    ],
)
def test_a_body_that_is_no_plain_json_object_is_refused_with_words(raw: bytes, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        parse_object(raw)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "project_id: is missing"),
        ({"project_id": "my-app", "promt": "x"}, "did you mean prompt?"),
        ({"project_id": "my app", "prompt": "x"}, "project_id: 'my app' is no id"),
        ({"project_id": "my-app", "prompt": 7}, "prompt: must be text, not a number"),
        ({"project_id": "my-app", "prompt": " \n"}, "prompt: is empty"),
        ({"project_id": "my-app", "prompt": "a\u0000b"}, "NUL"),
        (
            {"project_id": "my-app", "prompt": "x", "priority": True},
            "priority: must be a whole number, not true or false",
        ),
        (
            {"project_id": "my-app", "prompt": "x", "priority": 1.0},
            "priority: must be a whole number",
        ),
        (
            {"project_id": "my-app", "prompt": "x", "priority": 10**30},
            "priority: that number is not between",
        ),
        ({"project_id": "my-app", "prompt": "x", "held": "yes"}, "held: must be true or false"),
        ({"project_id": "my-app"}, "prompt: give a prompt or an issue_id"),
        ({"project_id": "x" * 129, "prompt": "x"}, "project_id"),
        ({"project_id": None, "prompt": "x"}, "project_id: is missing"),
    ],
)
def test_a_wrong_field_is_named_with_the_way_out(api: Api, body: object, words: str) -> None:
    assert words in api.post("/sessions", body, 400)["error"]


def test_half_a_surrogate_pair_is_refused(api: Api) -> None:
    answer = api.ask(
        "POST", "/sessions", body='{"project_id": "my-app", "prompt": "\\ud800"}', headers=JSON
    )
    assert answer.status_code == 400


def test_only_json_is_taken(api: Api) -> None:
    body = '{"project_id": "my-app", "prompt": "x"}'
    for media in (
        "text/plain",
        "application/json; charset=latin-1",
        "multipart/form-data",
        "application/jsonx",
        "",
    ):
        assert (
            api.ask("POST", "/sessions", body=body, headers={"Content-Type": media}).status_code
            == 415
        )
    assert (
        api.ask(
            "POST",
            "/sessions",
            body=body,
            headers={"Content-Type": 'application/json; charset="UTF-8"'},
        ).status_code
        == 200
    )


def test_a_body_over_a_mebibyte_is_too_large(api: Api) -> None:
    body = json.dumps({"project_id": "my-app", "prompt": "x" * BODY_LIMIT})
    assert api.ask("POST", "/sessions", body=body, headers=JSON).status_code == 413


def test_an_answer_is_passed_on_and_one_that_fits_no_choice_is_told_them(
    api: Api, session_id: str
) -> None:
    assert api.post(f"/sessions/{session_id}/answer", {"answer": "yes"}) == "answered"
    assert (
        "1. Yes" in api.post(f"/sessions/{session_id}/answer", {"answer": "perhaps"}, 409)["error"]
    )
    assert "answer" in api.post(f"/sessions/{session_id}/answer", {}, 400)["error"]


def test_calls_without_required_fields_need_no_body(api: Api, session_id: str) -> None:
    assert api.post(f"/sessions/{session_id}/interrupt") == "interrupted"
    assert api.post(f"/sessions/{session_id}/interrupt", {}) == "interrupted"
    assert (
        "unknown field"
        in api.post(f"/sessions/{session_id}/interrupt", {"now": True}, 400)["error"]
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit: 0 is not between 1 and 1000"),
        ("limit=99999", "limit"),
        ("limit=1e3", "limit: '1e3' is no whole number"),
        ("limit=%D9%A3", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit: is in the query twice"),
        ("after=-1", "after"),
        ("after=1&before=2", "after, before"),
        ("after=" + "9" * 400, "after"),
        ("sessionid=x", "did you mean session_id?"),
        ("type=nothing", "type: 'nothing' is none of"),
        ("priority=low", "priority"),
        ("session_id=a%00b", "session_id"),
        ("session_id=%ff", "UTF-8"),
        ("&".join(f"a{n}=1" for n in range(200)), "100 parameters"),
    ],
)
def test_a_wrong_parameter_is_named_with_the_way_out(api: Api, query: str, words: str) -> None:
    assert words in api.get("/events", 400, query_string=query)["error"]


def test_a_parameter_of_an_order_that_takes_none_is_refused(api: Api, session_id: str) -> None:
    assert (
        "unknown parameter 'dry_run'"
        in api.post(f"/sessions/{session_id}/send?dry_run=1", {"message": "go on"}, 400)["error"]
    )
    assert api.get(f"/sessions/{session_id}/messages") == []


class Letter(StrEnum):
    A = "a"
    B = "b"
    C = "c"


def test_choices_may_be_repeated_or_put_between_commas() -> None:
    field = ChoiceListField(Letter)
    assert field.from_text("x", "a,b") == ("a", "b")
    for nothing in ("", "a,", ",a"):
        with pytest.raises(Invalid, match="x: '' is none of a, b, c"):
            field.from_text("x", nothing)
    for wrong in ("a", []):
        with pytest.raises(Invalid, match="x: must be a list of at least one"):
            field.from_json("x", wrong)


@given(st.text(max_size=200))
def test_an_id_is_taken_exactly_when_it_matches(text: str) -> None:
    fine = 1 <= len(text) <= 128 and all(c.isascii() and (c.isalnum() or c in "_-") for c in text)
    try:
        assert identifier("id", text) == text
        assert fine
    except Invalid:
        assert not fine


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.text() | st.integers(), max_size=3)
)


@given(_VALUES)
def test_fields_read_any_json_value_or_say_invalid(value: object) -> None:
    for field in (
        TextField(),
        TextListField(),
        NumberField(0, 9),
        FlagField(),
        ChoiceListField(Letter),
    ):
        try:
            field.from_json("x", value)
        except Invalid as error:
            assert str(error).startswith("x")  # noqa: PT017 - either outcome is fine


_ANY_JSON = st.dictionaries(
    st.sampled_from(
        [
            "project_id",
            "prompt",
            "message",
            "title",
            "branch",
            "lines",
            "body",
            "line",
            "position",
            "x",
        ]
    )
    | st.text(max_size=5),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2),
    max_size=4,
)
_PLACES = [
    "sessions",
    "sessions/{}",
    "sessions/{}/send",
    "sessions/{}/output",
    "projects/{}",
    "projects/my-app/pulls/{}",
    "projects/{}/pulls",
    "queue/{}/move",
    "queue/{}",
    "events",
    "cleanup",
    "projects/{}/pulls/{}/merge",
    "pulls",
    "{}",
    "sessions/{}/{}",
]


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    place=st.sampled_from(_PLACES),
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE"]),
    body=st.one_of(_ANY_JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=50)),
    query=st.text(st.characters(codec="ascii", exclude_characters="#?"), max_size=20),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
)
def test_whatever_is_asked_the_answer_is_never_a_5xx(
    api: Api, place: str, name: str, method: str, body: bytes, query: str, header: str
) -> None:
    path = "/" + place.replace("{}", name.replace("?", "").replace("#", "") or "x")
    answer = api.ask(
        method,
        path,
        body=body,
        query_string=query,
        headers={**JSON, "Last-Event-ID": header, "X-Any": header},
    )
    assert answer.status_code < 500, answer.text


def test_no_parameter_of_any_query_may_be_empty() -> None:
    """An empty id would mean all there are. Every parameter is tried, so that no new one can
    forget it.
    """
    tried = set()
    for path, kind, suffix in ROUTES:
        for method in METHODS:
            responder = getattr(kind, f"on_{method}{suffix and '_' + suffix}", None)
            query = responder and responder.operation.query
            for name, field in request_fields(query).items() if query else ():
                tried.add((path, name))
                for text in ("", " "):
                    with pytest.raises(Invalid, match=f"^{name}"):
                        field.from_text(name, text)
    assert {("/api/v1/costs", "project_id"), ("/api/v1/events", "session_id")} <= tried


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\tb", "a\x1b[2J", "a\x7f", "a\x85b", "a\u2028b"])
def test_a_name_is_one_line_of_text(text: str) -> None:
    field = NameField(longest=60)
    for read in (field.from_json, field.from_text):
        with pytest.raises(Invalid, match=r"^author: .*; a name is one line of text$"):
            read("author", text)
    assert not re.search(field.schema()["pattern"], text)
    for good in ("ada", "Zoë Müller-Ångström", "a person", "session ma-1", "李 小龙"):
        assert field.from_json("author", good) == good
        assert re.search(field.schema()["pattern"], good)


def test_wherever_somebody_is_named_the_name_is_one_line_of_text() -> None:
    named = {
        (path, key): str(told)
        for path, methods in document()["paths"].items()
        for method, one in methods.items()
        if method == "post"
        for kind in one.get("requestBody", {}).get("content", {}).values()
        for key, told in kind["schema"].get("properties", {}).items()
        if key in ("by", "author")
    }
    assert len(named) >= 9
    assert [one for one, told in named.items() if "u001f" not in told] == []
