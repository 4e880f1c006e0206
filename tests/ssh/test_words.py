"""No text becomes syntax of a shell."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.machine.ssh.words import joined, quoted
from tests.conftest import need
from tests.properties import examples

SHELLS = {"sh": ("sh",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
WORDS = st.binary(max_size=120).map(lambda raw: raw.replace(b"\0", b""))
NASTY = [b"", b"'", b"''", b"\\", b"$(id)", b"`id`", b"!x", b"a\nb\n", b"-n", b"*", b"~", b"\xff'"]


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=examples(60), deadline=None)
@given(words=st.lists(WORDS, max_size=40))
def test_a_shell_takes_quoted_words_for_these_very_words(shell: str, words: list[bytes]) -> None:
    if shutil.which(SHELLS[shell][0]) is None:
        need(SHELLS["sh"][0])
        return
    line = b"for word in " + joined([*NASTY, *words]) + b"; do printf '%s\\0' \"$word\"; done"
    done = subprocess.run([*SHELLS[shell], "-c", line], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == [*NASTY, *words]


def test_what_no_word_can_hold_is_refused_and_names_that_are_no_text_are_not() -> None:
    with pytest.raises(ValueError, match="null byte"):
        quoted("a\0b")
    assert quoted(os.fsdecode(b"\xfe")) == b"'\xfe'"
