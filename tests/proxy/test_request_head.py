"""Headers of a request, beside what pywsgi reads by itself."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from gevent.pywsgi import headers_factory
from hypothesis import given
from hypothesis import strategies as st

from ennio.proxy.request_head import LONGEST, MOST, RequestHeaders, request_headers

NAMES = st.one_of(
    st.sampled_from(["Content-Type", "content-length", "X-Api-Key", "Transfer-Encoding", "a_b"]),
    st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True),
)
VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20)
LINES = st.one_of(
    st.builds(lambda name, value: f"{name}: {value}\r\n", NAMES, VALUES),
    st.builds(lambda name, value: f"{name}:\t{value} \n", NAMES, VALUES),
    st.sampled_from([" folded\r\n", "no colon\r\n", "a b: c\r\n", ": none\r\n", "a: b\rc: d\r\n"]),
    st.text(st.characters(max_codepoint=255), min_size=1, max_size=8).map(lambda one: f"{one}\r\n"),
)


def told(headers: Any) -> tuple[Any, ...]:
    """All that pywsgi asks of them."""
    names = ("content-type", "CONTENT-LENGTH", "x-api-key", "Transfer-Encoding", "none")
    return (
        headers.status,
        [(name, value.strip()) for name, _, value in (x.partition(":") for x in headers.headers)],
        headers.typeheader,
        *((headers.get(name, "-"), headers.getheader(name)) for name in names),
    )


@given(st.lists(LINES, max_size=8), st.sampled_from(["\r\n", "\n", ""]))
def test_headers_are_those_that_pywsgi_reads(lines: list[str], end: str) -> None:
    raw = "".join(lines).encode("latin-1") + end.encode()
    ours, theirs = BytesIO(raw + b"the body"), BytesIO(raw + b"the body")
    read, wanted = request_headers(ours), headers_factory(theirs)
    assert (told(read), ours.read()) == (told(wanted), theirs.read())
    for headers in (read, wanted):
        del headers["Content-Length"]
    assert told(read) == told(wanted)


def test_ordinary_lines_take_the_short_way() -> None:
    raw = b"Host: here\r\nX-Stainless-OS: Linux\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n"
    assert isinstance(request_headers(BytesIO(raw)), RequestHeaders)


def test_there_is_a_limit_to_lines_and_to_their_number() -> None:
    assert request_headers(BytesIO(b"a: " + b"x" * LONGEST + b"\r\n\r\n")).status
    assert not request_headers(BytesIO(b"a: b\r\n" * MOST + b"\r\n")).status
    with pytest.raises(ValueError, match="more than 100 headers"):
        request_headers(BytesIO(b"a: b\r\n" * (MOST + 1) + b"\r\n"))
