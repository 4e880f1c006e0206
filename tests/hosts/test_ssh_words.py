"""The ``ssh`` that a person types: any shell takes its words as they were meant, and most can be
read.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ennio.hosts.ssh_words import quoted

pytestmark = pytest.mark.real
WORDS = (
    *("env", "-u", "=name", "it's", "two words", ";", "#{client_name}", "$HOME", "`id`", "*"),
    *("~", "a=b", "{a,b}", "%1", "^x", "a\\b", "@ennio_person", '"', "=session:", ""),
)
SHELLS = ("sh", "bash", "zsh", "fish", "tcsh", "busybox")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_login_shell_takes_the_words_for_these_very_words(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    line = quoted(("printf", r"%s\n", *WORDS))
    argv = [shell, *(("sh",) if shell == "busybox" else ()), "-c", line]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n")[:-1] == list(WORDS)


def test_words_that_mean_nothing_to_a_shell_can_be_read() -> None:
    read = quoted(("tmux", "-u", "-L", "ennio-1", "attach-session", "-t", "=a-1", "it's"))
    assert read == r"exec tmux -u -L ennio-1 attach-session -t '=a-1' 'it'\''s'"
