"""Write an ennio.yaml for a repository. A repository without a remote gets a hub of its own beside it."""

from __future__ import annotations

import argparse
import os
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ennio.cli import caller
from ennio.cli.answer import Answer
from ennio.model.errors import Conflict, Refused

if TYPE_CHECKING:
    from ennio.cli.context import Context
    from ennio.cli.parser import Parser
    from ennio.cli.repository import Repository
    from ennio.config.template import Found

EXAMPLES = """\
  ennio init
  ennio init ~/src/my-app
"""
DATABASE = "ennio.db*"


def configure(parser: Parser) -> None:
    """Where."""
    parser.add_argument("path", nargs="?", help="the repository's folder, or the file to write (default: the repository here)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: Context) -> Answer:
    """Detect, then make all of it or nothing."""
    from ennio.cli.repository import survey

    caller.insist_on_person("set Ennio up")
    target = _target(options.path or context.config)
    _refuse_workspace(target)
    _refuse_overwrite(target)
    repository = survey(target.parent)
    if options.path is None and context.config is None:
        target = repository.root / target.name
        _refuse_overwrite(target)
    with ExitStack() as undo:
        hub = _hub(repository, undo)
        found = _found(repository, hub, target)
        _write(target, found, undo)
        undo.pop_all()
    return _told(target, repository, hub, found)


def _target(given: str | None) -> Path:
    path = Path(os.path.abspath(Path(given or ".").expanduser()))
    return path if path.suffix in (".yaml", ".yml") and not path.is_dir() else path / "ennio.yaml"


def _refuse_overwrite(target: Path) -> None:
    from ennio.config.discover import NAMES

    for name in {target.name, *NAMES}:
        file = target.with_name(name)
        if file.exists():
            raise Conflict(f"{file} exists already and is not overwritten; edit it, or move it away first")


def _refuse_workspace(target: Path) -> None:
    """A session's working copy goes with its session, and what is written there lands in its pull request."""
    from ennio.machine.home import Home

    home, folder = Home.of_environment(), Path(os.path.realpath(target.parent))
    if any(folder.is_relative_to(kind) for kind in home.workspaces):
        raise Refused(f"{folder} is in a session's working copy, which goes with its session; go to your own clone of the repository")


def _hub(repository: Repository, undo: ExitStack) -> Path | None:
    if repository.remote is not None:
        return None
    from ennio.cli.hub import make_hub
    from ennio.machine.home import Home

    return make_hub(repository, Home.of_environment(), undo)


def _found(repository: Repository, hub: Path | None, target: Path) -> Found:
    import shutil

    from ennio.cli.checkup.agents import installed
    from ennio.cli.repository import HUB
    from ennio.config.template import Found
    from ennio.machine.home import Home

    return Found(
        name=repository.root.name,
        repo=str(hub) if hub else str(repository.url),
        path=repository.root,
        default_branch=repository.branch,
        agents=installed(),
        runtime="tmux" if shutil.which("tmux") else "process",
        hub=hub is not None,
        remote=HUB if hub else str(repository.remote),
        database=Home.of_environment().database(target).name,
    )


def _write(target: Path, found: Found, undo: ExitStack) -> None:
    from ennio.cli.hub import exclude
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.config.template import template
    from ennio.machine.home import Home

    with target.open("x", encoding="utf-8") as stream:
        undo.callback(target.unlink, missing_ok=True)
        stream.write(template(found))
    config = load(target, os.environ)  # what is written must hold before it is left behind
    home = Home.of_environment()
    trusted.trust(config, home, os.environ)
    undo.callback(trusted.forget, target, home)
    exclude(found.path, DATABASE)


def _told(target: Path, repository: Repository, hub: Path | None, found: Found) -> Answer:
    lines = [f"wrote {target}"]
    if hub:
        lines += [
            f"the repository has no remote: its branch {repository.branch} was pushed to {hub} (remote 'ennio');",
            f"merges land there and never move your checked-out branch; fetch them with: git pull ennio {repository.branch}",
        ]
    spawn = f'ennio spawn {shlex.quote(found.name)} --prompt "..."'
    lines += ["", "next:", "  ennio start --detach", f"  {spawn}"]
    document = {"file": str(target), "hub": str(hub) if hub else None, "repo": found.repo, "default_branch": found.default_branch}
    return Answer(document | {"next": ["ennio start --detach", spawn]}, lines)
