"""What the board sends the person to, and comes back from: a terminal, a pager, an editor, a
browser.
"""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
import tempfile
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ennio.board.orders import Attach, Browse, Copy, Order, ShowDiff, Spawn, WritePrompt
from ennio.board.panes import wrapped
from ennio.board.printing import screen
from ennio.board.row import words
from ennio.board.view import Confirmation
from ennio.model.errors import EnnioError

if TYPE_CHECKING:
    from ennio.board.loop import BoardLoop

_REMINDER = "ennio: you come back to the board when you detach (tmux: Ctrl-b d) or the agent ends"
_COMPLAINT = 2000
_BELOW = "# ------ what stands below this line is left out ------"
_HINT = (
    f"\n\n{_BELOW}\n# Write the prompt for the agent above; where there is none, nothing is "
    "spawned.\n"
)


class Errands:
    """Runs them; the board is as it was afterwards."""

    def __init__(self, board: BoardLoop, command: Callable[..., Sequence[str]]) -> None:
        self._board, self._command = board, command

    def run(self, order: Order) -> None:
        """The errand; what went wrong becomes a notice."""
        try:
            if isinstance(order, Attach):
                self._attach(order.id)
            elif isinstance(order, ShowDiff):
                self._diff(order.id)
            elif isinstance(order, Browse):
                self._browse(order)
            elif isinstance(order, Copy):
                _into_clipboard(order.text)
            elif isinstance(order, WritePrompt):
                self._write(order.project)
            elif isinstance(order, Spawn):
                self._spawn(order)
        except (EnnioError, OSError) as error:
            self._say(str(error), bad=True)

    def _say(self, text: str, *, bad: bool = False, seconds: float | None = 8.0) -> None:
        self._board.view = self._board.view.saying(words(text), bad=bad, seconds=seconds)

    # --- away -------------------------------------------------------------------------------------

    def _attach(self, session_id: str) -> None:
        self._away(self._command("open", session_id), _REMINDER, f"back from {session_id}")

    def _away(self, command: Sequence[str], reminder: str, back: str) -> None:
        """A program of somebody else on the terminal. Its last words are kept."""
        with self._board.screen.lent():
            screen(f"{reminder}\r\n" if reminder else "")
            code, said = self._waited(command)
        if code:
            self._say(said or f"{command[0]} ended with {code}", bad=True)
        else:
            self._say(back)

    def _waited(self, command: Sequence[str]) -> tuple[int, str]:
        """Until it ends: its code, and the last it complained about. The news are taken meanwhile,
        so that they do not pile up.
        """
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(list(command), stderr=complaints)
            while process.returncode is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.25)
                self._board.take_all()
            complaints.seek(0)
            said = complaints.read(_COMPLAINT).decode(errors="replace")
        return process.returncode, " ".join(said.split())

    def _diff(self, session_id: str) -> None:
        pager = shlex.split(os.environ.get("PAGER") or "") or ["less", "-R"]
        if shutil.which(pager[0]) is None:
            raise OSError(f"{pager[0]} is not installed here; set PAGER")
        done = subprocess.run(self._command("diff", session_id), capture_output=True, check=False)
        if done.returncode:
            raise OSError(" ".join(done.stderr.decode(errors="replace").split()))
        with self._board.screen.lent():
            environment = {**os.environ, "LESS": os.environ.get("LESS", "-R")}
            subprocess.run(pager, input=_coloured(done.stdout), env=environment, check=False)

    def _browse(self, order: Browse) -> None:
        url = order.url
        if not url.startswith(("http://", "https://")):
            done = subprocess.run(
                self._command("dashboard", order.page, "--print"),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                self._say(done.stderr.strip(), bad=True)
                return
            url = done.stdout.strip()
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            webbrowser.open(url)
            self._say(f"opened {url}")
            return
        _into_clipboard(url)  # a long one has no room on a line: nobody could take it from there
        self._say(f"copied {url}", seconds=None)

    # --- spawn ------------------------------------------------------------------------------------

    def _write(self, project: str) -> None:
        prompt = self._written()
        if not prompt:
            self._say("the prompt is empty: nothing was spawned")
            return
        shown = self._order(Spawn(project, prompt, dry=True))
        view = self._board.view
        lines = tuple(line for line in _preview(shown, self._board.screen.size[0] - 2))
        asked = Confirmation("S", "spawn", f"{project}\n{prompt}", f"spawn it in {project}?")
        self._board.view = replace(
            view, page="spawn", page_lines=lines, page_top=0, confirmation=asked
        )

    def _written(self) -> str:
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        if shutil.which(editor[0]) is None:
            raise OSError(f"{editor[0]} is not installed here; set EDITOR")
        with tempfile.TemporaryDirectory(prefix="ennio-prompt-") as folder:
            path = Path(folder) / "prompt.md"
            path.write_text(_HINT, encoding="utf-8")
            with self._board.screen.lent():
                subprocess.run([*editor, str(path)], check=False)
            text = path.read_text(encoding="utf-8", errors="replace")
        return text.partition(_BELOW)[0].strip()

    def _spawn(self, order: Spawn) -> None:
        told = self._order(order)
        self._say(f"spawned {told.get('id')}: ennio spawn {order.project} -p ...")

    def _order(self, order: Spawn) -> Any:
        return self._board.feed.spawn(order.project, order.prompt, dry=order.dry)


def _into_clipboard(text: str) -> None:
    screen(f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07")


def _preview(told: object, width: int) -> list[str]:
    if not isinstance(told, dict):
        return [words(told)]
    lines: list[str] = []
    for name, value in told.items():
        if isinstance(value, dict) or value in (None, "", []):
            continue
        text = shlex.join(map(str, value)) if isinstance(value, list) else str(value)
        heads = [name, *[""] * text.count("\n")]
        for head, part in zip(heads, text.split("\n"), strict=True):
            lines += wrapped(f"{head:<14} {words(part)}", max(10, width))
    return lines


def _coloured(diff: bytes) -> bytes:
    """The colours of git."""
    codes = {b"+": b"32", b"-": b"31", b"@": b"36"}
    lines = (
        b"\x1b[%sm%s\x1b[0m" % (codes[line[:1]], line) if line[:1] in codes else line
        for line in diff.split(b"\n")
    )
    return b"\n".join(lines)
