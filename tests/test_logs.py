"""What is logged is one readable line, and no canary gets into it."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.logs import Formatter, Guarded, JsonFormatter, Redactor
from ennio.model.printable import SHORTEST_SECRET

CANARY = "canary-4f1b'2\"c"


def _redactor(*secrets: str) -> Redactor:
    found = Redactor()
    found.learn(secrets)
    return found


def _logged(message: str, *args: Any, redact: Redactor | None = None, **extra: Any) -> str:
    record = logging.getLogger("ennio.actors.session").makeRecord(
        "ennio.actors.session", logging.WARNING, "x.py", 1, message, args, None, extra=extra
    )
    record.created = 1_767_225_600.25
    return Formatter(redact or Redactor()).format(record)


def test_an_entry_is_one_line_with_its_keys_in_a_stable_order() -> None:
    line = _logged("effect %s", "failed", zone="b", error="it broke", session="s-1", attempt=2)
    assert (
        line == "2026-01-01T00:00:00.250+00:00 WARNING ennio.actors.session: effect failed "
        'session=s-1 attempt=2 error="it broke" zone=b'
    )


def test_nobody_forges_an_entry_by_a_line_break() -> None:
    lines = _logged("said %s", "a\n2026 ERROR x: b", note="c\n2026 ERROR y: d").split("\n")
    assert len(lines) == 2
    assert lines[1].startswith("    2026 ERROR x: b")


@pytest.mark.parametrize(
    "line",
    [
        lambda redact: _logged(f"it is {CANARY}", redact=redact),
        lambda redact: _logged("it is %s", CANARY, redact=redact),
        lambda redact: _logged("it is %r", {"k": [CANARY]}, redact=redact),
        lambda redact: _logged("x", redact=redact, error=f"refused {CANARY} twice"),
        lambda redact: _logged("x", redact=redact, token=CANARY),
        lambda redact: _logged("x", redact=redact, url="http://h/?t=canary-4f1b%272%22c"),
    ],
)
def test_a_secret_of_the_configuration_is_in_no_part_of_an_entry(line: Any) -> None:
    assert "canary-4f1b" in line(Redactor())
    assert "canary" not in line(_redactor(CANARY))
    assert "***" in line(_redactor(CANARY))


def test_a_secret_is_not_in_a_traceback_either() -> None:
    try:
        raise RuntimeError(f"with {CANARY}") from ValueError(CANARY)  # noqa: TRY301 - a real traceback is wanted
    except RuntimeError:
        record = logging.getLogger().makeRecord(
            "x", logging.ERROR, "x.py", 1, "crashed", (), sys.exc_info()
        )
    text = Formatter(_redactor(CANARY)).format(record)
    assert "RuntimeError: with ***" in text
    assert "canary-" not in text
    assert all(line.startswith("    ") for line in text.split("\n")[1:])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("{'Authorization': 'lin_oauth_abcdefgh'}", "{'Authorization': '***'}"),
        ("cloning https://me:pass-word@host/x.git", "cloning https://me:***@host/x.git"),
        ("postgresql://u:p%40ss@db/ennio is away", "postgresql://u:***@db/ennio is away"),
        ("ghp_0123456789abcdef was refused", "ghp_*** was refused"),
        ("key lin_api_0123456789", "key lin_api_***"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_unasked(text: str, shown: str) -> None:
    assert Redactor()(text) == shown


@pytest.mark.parametrize(
    "text",
    ["the bearer of news", "http://127.0.0.1:3000/api/v1", "git@github.com:a/b.git", "task-sk-1"],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert Redactor()(text) == text


def test_short_secrets_are_not_looked_for_and_longer_ones_win() -> None:
    redact = _redactor("short", "secret-one", "secret-one-and-more")
    assert redact("short secret-one-and-more secret-one") == "short *** ***"


def test_a_secret_of_several_lines_is_found_line_by_line() -> None:
    assert "AAAABBBB" not in _redactor("-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----")(
        "    AAAABBBB"
    )


def test_what_is_printed_to_a_guarded_stream_is_without_secrets() -> None:
    under = io.StringIO()
    print(f"x {CANARY}", file=Guarded(under, _redactor(CANARY)))
    assert under.getvalue() == "x ***\n"


@pytest.mark.real
def test_a_process_that_logs_to_stderr_lets_no_canary_out_however_it_speaks() -> None:
    program = """
import logging, sys
from ennio import logs
logs.to_stderr({"canary-one"}); logs.to_stderr({"canary-two"})
logging.getLogger("a").info("one %s", "canary-one", extra={"session": "s-1"})
logging.getLogger("b").error("two", extra={"error": "canary-two"})
sys.stderr.write("three canary-one\\n")
raise ValueError("four canary-two")
"""
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=root,
        env={**os.environ},
    )
    assert done.stderr.count(" INFO a: one *** session=s-1\n") == 1
    assert " ERROR b: two error=***\n" in done.stderr
    assert "\nthree ***\n" in done.stderr
    assert "ValueError: four ***" in done.stderr
    assert "canary-" not in done.stderr


SECRETS = st.text(st.characters(codec="utf-8"), min_size=SHORTEST_SECRET, max_size=30).filter(
    lambda text: len(text.strip()) >= SHORTEST_SECRET and text not in PROGRAM
)
PROGRAM = "2026-01-01T00:00:00.250+00:00 WARNING ennio.actors.session Traceback RuntimeError"
"""What stands in an entry anyhow."""


@settings(deadline=None)
@given(SECRETS, st.text(max_size=20))
def test_a_json_entry_is_one_object_a_line_without_any_secret(secret: str, beside: str) -> None:
    redact = _redactor(secret)
    words = f"{beside}<{secret}>"
    try:
        raise RuntimeError(words)  # noqa: TRY301 - a real traceback is wanted
    except RuntimeError:
        record = logging.getLogger("ennio.logs").makeRecord(
            "ennio.logs", logging.ERROR, "x.py", 1, "it said %s", (words,), sys.exc_info(),
            extra={"error": words, "count": 3, "level": "own", "gone": None},
        )  # fmt: skip
    line = JsonFormatter(redact).format(record)
    assert line.isascii()
    assert line.isprintable()
    entry = json.loads(line)
    assert (entry["level"], entry["level_"], entry["count"], entry["gone"]) == (
        "ERROR",
        "own",
        3,
        None,
    )
    for name in ("message", "error", "exception"):
        assert f"<{secret}>" not in entry[name], name


def test_a_number_that_is_a_secret_is_none_any_more() -> None:
    record = logging.makeLogRecord({"msg": "x", "pin": 12345678, "other": 7})
    entry = json.loads(JsonFormatter(_redactor("12345678")).format(record))
    assert (entry["pin"], entry["other"]) == ("***", 7)


def test_what_nobody_logged_is_an_entry_too_where_entries_are_json() -> None:
    out = io.StringIO()
    stream = Guarded(out, _redactor(CANARY))
    stream.as_json = True
    for part in ("Traceback of a ", f"library: {CANARY}", "\n  second line\n", "not ended"):
        stream.write(part)
    entries = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [entry["message"] for entry in entries] == [
        "Traceback of a library: ***",
        "  second line",
    ]
    assert {entry["logger"] for entry in entries} == {"stderr"}


@pytest.mark.real
def test_a_process_logs_as_its_configuration_says_also_when_that_changes() -> None:
    program = (
        "import logging, sys\nfrom ennio import logs\n"
        "for form in (None, True, None, False):\n"
        "    logs.to_stderr({'canary-one'}, as_json=form)\n"
        "    logging.getLogger('a').warning('with canary-one')\n"
        "print(len(logs.recent.read()))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    lines = ended.stderr.splitlines()
    assert [line.startswith("{") for line in lines] == [False, True, True, False]
    assert json.loads(lines[1])["message"] == "with ***"
    assert "canary" not in ended.stderr
    assert ended.stdout.strip() == "4"
