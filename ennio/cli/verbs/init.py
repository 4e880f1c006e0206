"""Write an ennio.yaml for a repository. A repository without a remote gets a bare one beside it."""

from __future__ import annotations

import argparse
import os
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ennio.cli import caller
from ennio.cli.command_result import CommandResult
from ennio.model.errors import Conflict, NotFound, Refused

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.cli.repository import WorkingCopy
    from ennio.config.template import TemplateValues

EXAMPLES = """\
  ennio init
  ennio init ~/src/my-app
"""
DATABASE = "ennio.db*"
_BLANK = 4096  # bytes: what is larger was written by somebody


def configure(parser: Parser) -> None:
    """Where."""
    parser.add_argument(
        "path",
        nargs="?",
        help="the repository's folder, or the file to write (default: the repository here)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Detect, then make all of it or nothing."""
    from ennio.cli.doctor.finding import insist
    from ennio.cli.doctor.machine import state
    from ennio.cli.repository import survey
    from ennio.machine.home import Home

    caller.insist_on_person("set Ennio up")
    insist(state(Home.of_environment().root))  # what is trusted is kept there, and a bare remote
    target = _target(options.path or context.config)
    _refuse_workspace(target)
    _refuse_overwrite(target)
    try:
        repository = survey(target.parent)
    except NotFound:
        if not options.path or not target.parent.is_dir():
            raise
        return _without_project(target)
    if options.path is None and context.config is None:
        target = repository.root / target.name
        _refuse_overwrite(target)
    with ExitStack() as undo:
        bare = _bare_remote(repository, undo)
        found = _found(repository, bare, target)
        _write(target, found, undo)
        undo.pop_all()
    return _told(target, repository, bare, found)


def _without_project(target: Path) -> CommandResult:
    """A person named a folder that is in no repository: their file for several, say."""
    import shutil

    from ennio.cli.doctor.agents import installed
    from ennio.config.template import bare_template
    from ennio.machine.home import Home

    database = Home.of_environment().database(target).name
    runtime = "tmux" if shutil.which("tmux") else "process"
    with ExitStack() as undo:
        _save(target, bare_template(database, installed(), runtime), undo)
        undo.pop_all()
    named = _config_option(target)
    start = f"ennio start --detach{named}"
    lines = [
        f"wrote {target}, with no project: {target.parent} is in no git repository",
        "add each repository as an entry under projects: (the file shows one)",
        *_lacking(),
        "",
        "then:",
        f"  ennio config check{named}",
        f"  {start}",
    ]
    document = {"file": str(target), "hub": None, "repo": None}
    document |= {"default_branch": None, "default_branch_from": None}
    return CommandResult(document | {"next": [start]}, lines)


def _config_option(target: Path) -> str:
    """What a command has to be told here so that it takes this file; nothing where it does."""
    from ennio.config.discover import find

    here = Path.cwd()
    try:
        if find(here) == target:
            return ""
    except NotFound:
        pass
    near = target.relative_to(here) if target.is_relative_to(here) else target
    return f" --config {shlex.quote(str(near))}"


def _lacking() -> list[str]:
    """What agents will want and is not here, each with the way to get it."""
    from ennio.cli.doctor.agents import KINDS, installed
    from ennio.cli.doctor.machine import identity

    finding = identity()
    lines = [] if finding is None else ["", finding.what, f"  -> {finding.fix}"]
    if installed():
        return lines
    names = ", ".join(kind.name for kind in KINDS)
    return [
        *lines,
        "",
        f"no coding agent was found here ({names}); to install one:",
        f"  {KINDS[0].hint}",
    ]


def _target(given: str | None) -> Path:
    path = Path(os.path.abspath(Path(given or ".").expanduser()))
    return path if path.suffix in (".yaml", ".yml") and not path.is_dir() else path / "ennio.yaml"


def _refuse_overwrite(target: Path) -> None:
    from ennio.config.discover import NAMES

    for name in {target.name, *NAMES}:
        file = target.with_name(name)
        if file.exists() and not _is_blank(file):
            raise Conflict(
                f"{file} exists already and is not overwritten; edit it, or move it away first"
            )


def _is_blank(file: Path) -> bool:
    """Whether there is nothing in it that could be lost."""
    return file.is_file() and file.stat().st_size < _BLANK and not file.read_bytes().strip()


def _refuse_workspace(target: Path) -> None:
    """A session's working copy goes with its session, and what is written there
    lands in its pull request.
    """
    from ennio.machine.home import Home

    home, folder = Home.of_environment(), Path(os.path.realpath(target.parent))
    if any(folder.is_relative_to(kind) for kind in home.workspaces):
        raise Refused(
            f"{folder} is in a session's working copy, which goes with its session; go to your "
            "own clone of the repository"
        )


def _bare_remote(repository: WorkingCopy, undo: ExitStack) -> Path | None:
    if repository.remote is not None:
        return None
    from ennio.cli.bare_remote import make_bare_remote
    from ennio.machine.home import Home

    return make_bare_remote(repository, Home.of_environment(), undo)


def _found(repository: WorkingCopy, bare: Path | None, target: Path) -> TemplateValues:
    import shutil

    from ennio.cli.doctor.agents import installed
    from ennio.cli.repository import BARE_REMOTE
    from ennio.config.template import TemplateValues
    from ennio.machine.home import Home

    return TemplateValues(
        name=repository.root.name,
        repo=str(bare) if bare else str(repository.url),
        path=repository.root,
        default_branch=repository.branch,
        agents=installed(),
        runtime="tmux" if shutil.which("tmux") else "process",
        bare_remote=bare is not None,
        remote=BARE_REMOTE if bare else str(repository.remote),
        database=Home.of_environment().database(target).name,
    )


def _write(target: Path, found: TemplateValues, undo: ExitStack) -> None:
    from ennio.cli.bare_remote import exclude
    from ennio.config.template import template

    _save(target, template(found), undo)
    exclude(found.path, DATABASE)


def _save(target: Path, text: str, undo: ExitStack) -> None:
    from ennio.config import trusted
    from ennio.config.load import load
    from ennio.machine.home import Home

    if target.exists() and _is_blank(target):
        target.unlink()
        undo.callback(target.touch)
    with target.open("x", encoding="utf-8") as stream:
        undo.callback(target.unlink, missing_ok=True)
        stream.write(text)
    config = load(target, os.environ)  # what is written must hold before it is left behind
    home = Home.of_environment()
    trusted.trust(config, home, os.environ)
    undo.callback(trusted.forget, target, home)


def _told(
    target: Path, repository: WorkingCopy, bare: Path | None, found: TemplateValues
) -> CommandResult:
    other = "another: default_branch in that file" + (
        " (and git push ennio BRANCH)" if bare else ""
    )
    lines = [
        f"wrote {target}",
        f"default branch: {repository.branch} ({repository.branch_from}); {other}",
    ]
    if bare:
        lines += [
            (
                f"the repository has no remote: its branch {repository.branch} was pushed to "
                f"{bare} "
                "(remote 'ennio');"
            ),
            (
                "merges land there and never move your checked-out branch; fetch them with: git "
                "pull "
                f"ennio {repository.branch}"
            ),
        ]
    named = _config_option(target)
    start = f"ennio start --detach{named}"
    spawn = f'ennio spawn {shlex.quote(found.name)} --prompt "..."{named}'
    if not found.agents:  # one that plays, and needs nothing
        spawn = f"ennio spawn {shlex.quote(found.name)} --agent scripted --prompt Hello{named}"
    lines += [*_lacking(), "", "next:", f"  {start}", f"  {spawn}"]
    document = {"file": str(target), "hub": str(bare) if bare else None, "repo": found.repo}
    document |= {
        "default_branch": found.default_branch,
        "default_branch_from": repository.branch_from,
    }
    return CommandResult(document | {"next": [start, spawn]}, lines)
