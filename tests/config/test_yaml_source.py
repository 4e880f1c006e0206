"""YAML as people write it, and everything YAML 1.1 makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.config.yaml_source import YamlDocument, read, shown


def told(text: str | bytes) -> str:
    document = read(text.encode() if isinstance(text, str) else text)
    assert document.problems, document.data
    return "\n".join(map(str, document.problems))


def test_values_know_their_places() -> None:
    document = read(b"port: 1\nprojects:\n  - name: app\n    path: ${X}\n")
    assert document.data == {"port": 1, "projects": [{"name": "app", "path": "${X}"}]}
    assert document.line(("projects", 0, "path")) == 4
    assert document.line(("projects", 0, "missing")) == 3
    assert document.written(("projects", 0, "path")) == "${X}"


def test_a_place_is_shown_as_people_write_it() -> None:
    assert (
        shown(("projects", 0, "reactions", "ci-failed", "a b"))
        == "projects[0].reactions.ci-failed['a b']"
    )


def test_keys_are_what_stands_there() -> None:
    assert read(b"on: 1\nno: 2\n3: 3\n~: 4\n").data == {"on": 1, "no": 2, "3": 3, "~": 4}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("off", False),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        ("", None),
        ("'0777'", "0777"),
        ("0", 0),
        ("!!str 1", "1"),
    ],
)
def test_plain_values_are_read(text: str, value: object) -> None:
    assert read(f"a: {text}".encode()).data == {"a": value}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 0777", "line 1: a: is a number YAML reads in its own way"),
        ("a: 0x1F", "own way"),
        ("a: 1_000", "own way"),
        ("a: 12:30", "own way"),
        ("a: .inf", "own way"),
        ("a: .nan", "own way"),
        ("a: " + "9" * 5000, "own way"),
        ("a: 2026-01-01", "is a date to YAML"),
        ("a: 2026-99-99", "is a date to YAML"),
        ("a: !!binary aGVsbG8=", "binary data"),
        ("a: !!binary [x]", "tag binary"),
        ("a: !!python/object:os.system {}", "tag python/object"),
        ("a: !custom x", "tag !custom"),
        ("a: !!set {x, y}", "tag set"),
        ("a: !!bool perhaps", "tag bool"),
        ("a: !!int x", "own way"),
        ("a: 1\na: 2", "line 2: a: is a duplicate: it stands on line 1 already"),
        ("{a: 1}: 2", "list or mapping as a key"),
        ("a:\n\t- b", "a tab cannot indent"),
        ("a: 1\n---\nb: 2", "second document"),
        ("a: *b", "undefined alias"),
        ("a: [1", "line 1: the file is not YAML here"),
        ("", "empty"),
        ("# only words\n", "empty"),
        ("---\n", "not a mapping"),
        ("- a", "not a mapping"),
        ("word", "not a mapping"),
        ("a: \x07", "line 1: the file holds a control character"),
        (b"a: 1\nb: \xff", "line 2: the file is not UTF-8"),
        (b"\xff\xfea\x00", "not UTF-8"),
        ('a: "\\UFFFFFFFF"', "names no character"),
        ('a: "\\ud800"', "half a character"),
        ("a: &a [*a]", "refer to themselves"),
        ("a: &a\n  <<: *a\n", "refer to themselves"),
        ("a:\n  <<: 1\n", "brings in no mapping"),
        ("a: " + "[" * 5000, "nested deeper"),
        ("{a: " * 500, "nested deeper"),
        ("a: |" + "x" * 2**21, "larger than 1024 KiB"),
        ("%YAML 9.9\n---\na: 1", "not YAML"),
    ],
)
def test_surprises_of_yaml_are_told(text: str | bytes, words: str) -> None:
    assert words in told(text)


def test_an_alias_bomb_is_defused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "multiply" in told("\n".join(lines))


def test_a_bomb_of_merge_keys_is_defused() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "multiply" in told("\n".join(lines))


def test_anchors_and_merge_keys_work() -> None:
    text = (
        b"base: &base\n  plugin: github\n  config: {token: t}\nown:\n  <<: *base\n  plugin: "
        b"linear\nboth:\n  <<: [{a: 1}, {a: 2, b: 3}]\n"
    )
    data = read(text).data
    assert data["own"] == {"plugin": "linear", "config": {"token": "t"}}
    assert data["both"] == {"a": 1, "b": 3}


def test_several_problems_are_told_at_once() -> None:
    assert len(read(b"a: 0777\nb: 2026-01-01\nc: 1\nc: 2\n").problems) == 3


def test_a_byte_order_mark_is_no_problem() -> None:
    assert read(b"\xef\xbb\xbfa: 1").data == {"a": 1}


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")),
    )
)
def test_any_bytes_are_a_document(raw: bytes) -> None:
    assert isinstance(read(raw), YamlDocument)


PIECES = st.sampled_from(
    [
        "a: ",
        "b:\n  ",
        "- ",
        "&x ",
        "*x",
        "<<: ",
        "[",
        "]",
        "{",
        "}",
        "!!int ",
        "? ",
        ": ",
        "'",
        '"',
        "|\n",
        ">-\n ",
        "\n",
        "\t",
        "---\n",
        "...",
        "0777",
        "12:30",
        "2026-01-01",
        "!",
        "%TAG ! x\n",
        "${X}",
        ",",
        "#",
        "\\x",
        "~",
        "=",
        "\u0085",
        "\u2028",
        "1.5",
        "yes",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_pieces_of_yaml_are_a_document(text: str) -> None:
    document = read(text.encode())
    assert document.problems or isinstance(document.data, dict)
