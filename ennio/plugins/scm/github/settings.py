"""What a project may set under ``scm_config.config`` for GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ennio.config.model import Project
from ennio.model.pulls import MergeMethod
from ennio.plugins.github.settings import Access, Reader, read, text, yes_or_no


@dataclass(frozen=True, slots=True)
class GitHubForgeSettings:
    """How the forge behaves for one project.

    ``head_owner`` owns the repository that branches are pushed to, where it is a fork; ``pace``
    multiplies every waiting time between looks; ``own_comments``: answers given with the token's account, or
    that of who opened the pull request, are told to agents too; ``merge_method`` None: the first one the repository allows;
    ``update_branch``: a pull request that must be up to date with its base, and is not, takes it in.
    """

    access: Access
    merge_method: MergeMethod | None = None
    auto_open: bool = True
    draft: bool = False
    delete_branch: bool = False
    update_branch: bool = False
    head_owner: str | None = None
    pace: float = 1.0
    own_comments: bool = False


def _method(value: Any) -> MergeMethod:
    try:
        return MergeMethod(str(value))
    except ValueError:
        raise ValueError("is not a merge method: write squash, merge or rebase") from None


def _pace(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 100:
        raise ValueError("is not a number above 0 and up to 100; 1 is the usual pace, 2 asks half as often")
    return float(value)


_READERS: Mapping[str, Reader] = {
    "merge_method": _method,
    "auto_open": yes_or_no,
    "draft": yes_or_no,
    "delete_branch": yes_or_no,
    "update_branch": yes_or_no,
    "head_owner": text,
    "pace": _pace,
    "own_comments": yes_or_no,
}


def parse(config: Mapping[str, Any], project: Project) -> GitHubForgeSettings:
    """Read ``scm_config.config``. Raises ConfigError with every problem at once."""
    access, given = read(config, _READERS, f"projects[{project.id}].scm_config.config", project)
    return GitHubForgeSettings(access, **given)
