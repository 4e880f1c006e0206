"""Which paths an agent names in its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ennio.policy.named_paths import named_paths


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("![before](shots/before.png)", ["shots/before.png"]),
        ('see [the page](<out/my page.html> "title")', ["out/my page.html"]),
        ("![x](shots/a%20b.png)", ["shots/a b.png"]),
        ("I changed `src/app.py:12` and `./docs/a.md#L3-L9`.", ["src/app.py", "docs/a.md"]),
        ("Wrote report.html, and shots/after.png too.", ["report.html", "shots/after.png"]),
        ("It is at /home/me/work/out.png now", ["/home/me/work/out.png"]),
        ("See ../outside.txt", ["../outside.txt"]),
        ("![x](file:///tmp/a.png)", ["/tmp/a.png"]),
        ("![x](https://evil.example/a.png) or http://a.example/b.png", []),
        ("[x](javascript:alert(1)) [y](data:image/png;base64,xx) [z](//host/a.png)", []),
        ("Run `npm install express` and `make`.", []),
        ("", []),
    ],
)
def test_what_is_meant_as_a_file_is_found_and_no_address_is(words: str, paths: list[str]) -> None:
    assert [one.path for one in named_paths(words)] == paths


def test_pictures_and_links_come_first_each_once_and_only_so_many() -> None:
    words = "a.txt b.txt ![c](c.png) `a.txt` " + " ".join(f"f{n}.txt" for n in range(100))
    found = named_paths(words, most=5)
    assert [one.path for one in found] == ["c.png", "a.txt", "b.txt", "f0.txt", "f1.txt"]
    assert [one.linked for one in found] == [True, False, False, False, False]


@given(st.text(alphabet="ab/.:`![]()<> \n\\\"'%#@~-+", max_size=300))
def test_no_words_break_it_or_make_it_name_an_address(words: str) -> None:
    for one in named_paths(words):
        assert one.path
        assert "://" not in one.path
        assert not one.path.startswith("//")


def test_a_line_of_a_megabyte_is_read_at_once() -> None:
    assert len(named_paths("[" * 1000 + "a/" * 500_000)) <= 20
    assert len(named_paths("a." * 200_000)) <= 20
