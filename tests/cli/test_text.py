"""Words on the command line, in files and on standard input: as many as a request
carries, from what has an end.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from ennio.cli.text import text_of
from ennio.model.errors import Invalid

MOST = 1024 * 1024


def test_a_file_without_end_is_no_text(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(Invalid, match=f"cannot read {name}: it is no regular file"):
            text_of(f"@{name}", files=True)


def test_a_text_larger_than_a_request_is_refused_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "words"
    file.write_bytes(b"x" * MOST)
    assert len(text_of(f"@{file}", files=True)) == MOST
    file.write_bytes(b"x" * (MOST + 1))
    with pytest.raises(Invalid, match=f"{file} holds more than 1024 KiB"):
        text_of(f"@{file}", files=True)
    with open("/dev/zero", "rb") as zero:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(zero))
        with pytest.raises(Invalid, match="standard input holds more than 1024 KiB"):
            text_of("-")


def test_the_pipe_of_a_shell_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"some words")
    os.close(writer)
    assert text_of(f"@/dev/fd/{reader}", files=True) == "some words"
    os.close(reader)
