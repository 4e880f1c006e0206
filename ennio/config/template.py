"""The first ``ennio.yaml`` of a person: short, commented, and ready to use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ennio.config.expand import escaped
from ennio.model.repository_address import github, is_local
from ennio.model.session import ID_PATTERN, derive_project_id


@dataclass(frozen=True, slots=True)
class TemplateValues:
    """What was found where ``ennio init`` was called.

    ``agents`` are the installed ones, best first. ``bare_remote`` is True when ``repo`` is a bare
    repository that Ennio made, ``remote`` the name by which the person's working copy knows it.
    ``database`` is the name of its file under ``ENNIO_HOME``.
    """

    name: str
    repo: str
    path: Path
    default_branch: str = "main"
    agents: tuple[str, ...] = ()
    runtime: str = "tmux"
    bare_remote: bool = False
    remote: str = "origin"
    database: str = "ennio.db"


def template(found: TemplateValues) -> str:
    """The text of the file; it loads as it is."""
    return "\n".join([_HEAD, _database(found), _defaults(found), _project(found), _TAIL])


def bare_template(database: str, agents: tuple[str, ...], runtime: str) -> str:
    """The text of a file for no project yet, which tells how to add one."""
    found = TemplateValues("", "", Path(), agents=agents, runtime=runtime, database=database)
    return "\n".join([_HEAD, _database(found), _defaults(found), _NO_PROJECT, _TAIL])


def _text(value: object) -> str:
    """A value as a quoted YAML text in which nothing is expanded."""
    quoted = json.dumps(escaped(str(value)), ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)


_HEAD = """\
# Ennio: many coding agents at once, each in a working copy of its own.
#   ennio config check    what is wrong with this file
#   ennio config show     what holds after all defaults
# ${VAR} is an environment variable: keep secrets there, not here.
"""


def _database(found: TemplateValues) -> str:
    return f"""\
# What Ennio knows of its sessions. It lies outside of the repository: `git clean -fdx` would take it along.
database_url: "sqlite:${{ENNIO_HOME:-~/.ennio}}/databases/{found.database}"
"""  # noqa: E501


def _defaults(found: TemplateValues) -> str:
    others = ", ".join(found.agents[1:])
    note = (
        "  # none was found here: install it, or name another; `scripted` needs nothing"
        if not found.agents
        else f"  # also here: {others}"
        if others
        else ""
    )
    runtime = (
        "agents run in tmux; `ennio open` attaches"
        if found.runtime == "tmux"
        else "where agents run"
    )
    return f"""\
defaults:
  agent: {_text(found.agents[0] if found.agents else "claude-code")}{note}
  runtime: {_text(found.runtime)}  # {runtime}
  workspace: worktree  # fast, shares the repository's objects; or: clone
"""


def _project(found: TemplateValues) -> str:
    return f"""\
projects:
  - name: {_text(found.name)}
{_identity(found)}{_repository(found)}    path: {_text(found.path)}
    default_branch: {_text(found.default_branch)}
    # max_sessions: 3
    # post_create:            # shell commands run in every new working copy
    #   - npm install
    # symlinks:               # files of yours that every working copy needs
    #   - source: .env
    #     target: .env
    # agent_rules:            # instructions that stand above every prompt
    #   - Write tests for all new code
{_forge(found)}"""


def _identity(found: TemplateValues) -> str:
    """An id only where none can be made of the name."""
    return "" if ID_PATTERN.match(derive_project_id(found.name)) else "    project_id: project\n"


def _repository(found: TemplateValues) -> str:
    remark = ""
    if found.bare_remote:
        remark = f"""\
    # A bare copy that Ennio made, so that merges never move the branch you have checked out.
    # Fetch what was merged: git pull {found.remote} {found.default_branch}
"""
    return f"{remark}    repo: {_text(found.repo)}\n"


def _forge(found: TemplateValues) -> str:
    if github(found.repo):
        return """\
    # Issues and pull requests are those of the repository on GitHub; Ennio needs a token for them:
    # tracker_config: {plugin: github, config: {token: "${GITHUB_TOKEN}"}}
    # scm_config: {plugin: github, config: {token: "${GITHUB_TOKEN}"}}
"""
    if is_local(found.repo):
        return """\
    scm_config:
      plugin: local  # pull requests, checks and reviews by Ennio itself: no account, no network
      # config:
      #   checks:             # run on a clean check-out of every pull request
      #     - {name: tests, run: make test, timeout: 10m}
"""
    return "    # No forge is known for this repository: sessions end when their agent does.\n"


_NO_PROJECT = """\
projects: []
# Each repository is an entry in the place of these brackets; `ennio reload` takes it in.
# projects:
#   - name: my-app
#     repo: git@github.com:you/my-app.git   # where pull requests go; or a bare repository's path
#     path: ~/src/my-app                    # your clone of it
#     default_branch: main
"""

_TAIL = """\
# budgets:                    # beyond a limit sessions are paused, and you are asked
#   - {scope: global, period: daily, limit_usd: 25}
"""
