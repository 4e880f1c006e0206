"""What a configuration file that was edited, and not read again, has to do with an error: the
supervisor stands on what it read last.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from ennio.model.errors import EnnioError

if TYPE_CHECKING:
    from pathlib import Path

    from ennio.cli.context import CliContext
    from ennio.config.model import Config

E = TypeVar("E", bound=EnnioError)


def is_edited(context: CliContext) -> bool:
    """Whether the file is another than what the supervisor stands on."""
    from ennio.config import last_good

    return last_good.is_edited(context.run_directory(), context.config_file())


def way_out(context: CliContext) -> str:
    """That it was edited, and what has it read."""
    return f"{context.config_file().name} has changed since it was read: ennio reload"


def explained(error: E, context: CliContext, project: str) -> E:
    """The error about a project, with the way out where the file says something else of it by now,
    and so something else may be true once that is read.
    """
    if not is_edited(context) or way_out(context) in str(error) or not _differs(context, project):
        return error
    return type(error)(f"{error}; {way_out(context)}")


def _differs(context: CliContext, project: str) -> bool:
    from ennio.config import last_good
    from ennio.config.load import load

    source: Path = context.config_file()
    try:
        before, now = (
            load(source, os.environ, content=content)
            for content in (last_good.known(context.run_directory()), None)
        )
    except EnnioError:  # a mistake in it is told by the reload
        return True
    return _of(before, project) != _of(now, project)


def _of(config: Config, project: str) -> object:
    return config.project(project), config.budgets
