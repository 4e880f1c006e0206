"""What every verb may use: the options given everywhere, the configuration file, the supervisor."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ennio.board import printing
from ennio.board.style import PLAIN, Style
from ennio.cli.late_interrupt import LateInterrupt
from ennio.model.errors import Invalid, NotFound, Unauthorized
from ennio.model.nearest import nearest as meant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ennio.http.address import SupervisorAddress
    from ennio.http.client import ApiClient, Tagged


@dataclass(frozen=True, slots=True)
class CliContext:
    """One call of the command. ``width`` is None when nobody reads along (a pipe, a file).

    ``known`` are the answers there were: who polls is sent only what is different. ``old`` says
    of answers that are as last known since when the database is away.
    """

    json: bool = False
    config: str | None = None
    style: Style = PLAIN
    width: int | None = None
    interactive: bool = False
    known: Tagged = field(default_factory=dict, repr=False, compare=False)
    old: list[str] = field(default_factory=list, repr=False, compare=False)
    interrupt: LateInterrupt = field(default_factory=LateInterrupt, repr=False, compare=False)

    @classmethod
    def of_terminal(cls, *, json: bool, config: str | None) -> CliContext:
        """The context as standard output and the environment tell it."""
        terminal = sys.stdout.isatty()
        colour = (
            terminal
            and not json
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )
        width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else None
        return cls(json, config, Style(colour), width or None, terminal and sys.stdin.isatty())

    def note(self, text: str) -> None:
        """Tell a person something beside the answer: on stderr."""
        printing.note(text)

    def config_file(self) -> Path:
        """The configuration file of this call. Raises NotFound with the way out."""
        from pathlib import Path

        from ennio.config.discover import find

        return find(Path.cwd(), Path(self.config) if self.config else None)

    def run_directory(self) -> Path:
        """Where the supervisor of this configuration keeps its address and log."""
        from ennio.machine.home import Home

        return Home.of_environment().run(self.config_file())

    def address(self) -> SupervisorAddress | None:
        """The supervisor that runs right now, if one does."""
        from ennio.http.address import running

        return running(self.run_directory())

    def client(self, patience: float | None = None) -> ApiClient:
        """A client of the running supervisor; ``patience`` is how many seconds an answer may take.

        Raises NoSupervisor (exit code 4).
        """
        from ennio.http.client import find
        from ennio.machine.home import Home

        source = self.config_file()
        found = find(
            source,
            Home.of_environment(),
            lambda: self._configured_token(source),
            self.known,
            self.old,
        )
        return found if patience is None else found.patient(patience)

    def order(self, path: str, body: Mapping[str, object], *, once: bool = False) -> Any:
        """The answer to a POST that makes something; Ctrl-C meanwhile is answered behind it, so
        that nothing is made of which nobody was told. ``once``: the path takes a key.
        """
        client = self.client()
        self.interrupt.hold()
        try:
            return client.post_once(path, body) if once else client.post(path, body)
        except KeyboardInterrupt:
            self.note("not waited for: whether it was done is not known; see: ennio status")
            raise
        finally:
            self.interrupt.answered()

    def distrusted(self, error: Unauthorized) -> Unauthorized:
        """The error where the supervisor does not take the token that was read for it;
        any other stays as it is.
        """
        from ennio.http.address import TOKEN

        if "the token is wrong" not in str(error):
            return error
        file = self.run_directory() / TOKEN
        way = "make them agree with: ennio stop && ennio start --detach"
        if not file.exists() and self._configured_token(self.config_file()) is None:
            return Unauthorized(f"the token of the supervisor is gone ({file}); {way}")
        source = file if file.exists() else f"api_token of {self.config_file()}"
        return Unauthorized(
            f"the supervisor does not take the token that was read for it ({source}): it was "
            f"changed since the start; {way}"
        )

    def _configured_token(self, source: Path) -> str | None:
        """The one that the supervisor stands on, where that is known."""
        from ennio.config import last_good
        from ennio.config.one_value import top_level_text

        held = last_good.known(self.run_directory())
        found = None if held is None else top_level_text(held, "api_token", os.environ)
        if found is not None:
            return found
        from ennio.config.load import load

        return load(source, os.environ, content=held).api_token

    def project_id(self, name: str) -> str:
        """The id of the project with this id or name. Raises NotFound naming the nearest."""
        try:
            return match_project(name, self.client().get("/projects"))
        except NotFound as error:
            from ennio.cli import edited_file

            raise edited_file.explained(error, self, name) from error


def match_project(name: str, projects: list[dict[str, Any]]) -> str:
    """The id of the project with this id or name among those. Raises
    NotFound naming the nearest.
    """
    for key in ("id", "name"):
        for project in projects:
            if project[key] == name:
                return str(project["id"])
    known = [str(project["id"]) for project in projects]
    raise NotFound(
        f"no project {name!r}{nearest(name, known)}; known are: {', '.join(known) or 'none'}"
    )


def nearest(word: str, known: list[str]) -> str:
    """``, did you mean ...?`` for a word that is not known but near one, else nothing."""
    near = meant(word, known)
    return f", did you mean {near!r}?" if near else ""


def path(template: str, *segments: object) -> str:
    """A path of the API, its ``{}`` filled with quoted segments. Raises Invalid for one that is no
    segment, NotFound with a slash.

    >>> path("/sessions/{}/output", "a b")
    '/sessions/a%20b/output'
    """
    from urllib.parse import quote

    if any(segment in ("", ".", "..") for segment in segments):
        raise Invalid("an id is empty or made of dots")
    slashed = next((segment for segment in segments if "/" in str(segment)), None)
    if slashed is not None:
        # a server reads a quoted slash like any other
        raise NotFound(
            f"there is nothing called {slashed!r}: an id has no slash; ennio status shows the "
            "sessions, and their projects"
        )
    return template.format(*(quote(str(segment), safe="") for segment in segments))
