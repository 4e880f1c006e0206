"""What a project may set under ``scm_config.config`` for GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ennio.config.model import Project
from ennio.config.number_fields import BoolField, FactorField
from ennio.config.text_fields import EnumField, WordField
from ennio.model.pulls import MergeMethod
from ennio.plugins.github.settings import Access, GitHubAccessSchema, read
from ennio.plugins.github.settings import of_values as access_of


@dataclass(frozen=True, slots=True)
class GitHubForgeSettings:
    """How the forge behaves for one project.

    ``head_owner`` owns the repository that branches are pushed to, where it is a fork; ``pace``
    multiplies every waiting time between looks; ``own_comments``: answers given with the token's
    account, or that of who opened the pull request, are told to agents too; ``merge_method`` None:
    the first one the repository allows; ``update_branch``: a pull request that must be up to date
    with its base, and is not, takes it in.
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


class GitHubForgeSchema(GitHubAccessSchema):
    """``scm_config.config`` of ``plugin: github``."""

    makes = GitHubForgeSettings
    merge_method = EnumField(
        "How pull requests are merged; left out, the first way the repository allows", MergeMethod
    )
    auto_open = BoolField("Whether a branch that was pushed gets a pull request by itself")
    draft = BoolField("Whether those are drafts")
    delete_branch = BoolField("Whether a merged branch is deleted")
    update_branch = BoolField(
        "Whether a pull request that must be up to date with its base takes it in by itself"
    )
    head_owner = WordField("Who owns the fork that branches are pushed to")
    pace = FactorField("What every wait between two looks is multiplied by", 100)
    own_comments = BoolField(
        "Whether answers given with the token's own account are told to agents too"
    )


def parse(config: Mapping[str, Any], project: Project) -> GitHubForgeSettings:
    """Read the settings. Raises ConfigError with every problem at once."""
    access, given = read(GitHubForgeSchema, config, _source(project), project)
    return GitHubForgeSettings(access, **given)


def of_values(values: Mapping[str, Any], project: Project) -> GitHubForgeSettings:
    """The settings, of values that were read. Raises ConfigError where no repository is known."""
    access, given = access_of(values, _source(project), project)
    return GitHubForgeSettings(access, **given)


def _source(project: Project) -> str:
    return f"projects[{project.id}].scm_config.config"
