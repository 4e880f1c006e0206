"""A long answer in the person's own pager, where they sit at a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence

from ennio.board.style import shown
from ennio.cli.context import CliContext


def page(lines: Sequence[str], context: CliContext) -> bool:
    """Show the lines in ``$PAGER`` (else ``less``), cleaned as everything that is printed; False
    where nobody sits at a terminal, or there is no pager.
    """
    words = _pager() if context.interactive and not context.json else []
    if not words:
        return False
    # what fits on one screen is left standing there, as git does it
    env = {**os.environ, "LESS": os.environ.get("LESS", "FRX"), "LV": "-c"}
    text = shown("\n".join(lines)) + "\n"
    subprocess.run(words, env=env, input=text.encode("utf-8", "replace"), check=False)
    return True


def _pager() -> list[str]:
    """Its command; none where it is not there, or is to be ``cat``."""
    wanted = os.environ.get("PAGER", "less")
    try:
        words = shlex.split(wanted)
    except ValueError:
        return []
    return words if words and words != ["cat"] and shutil.which(words[0]) else []
