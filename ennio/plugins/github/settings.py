"""What a project may set under ``config`` of its GitHub forge and tracker alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from ennio.config import plugin_settings
from ennio.config.fields import SettingsSchema
from ennio.config.model import Project
from ennio.config.text_fields import StringField, WordField
from ennio.model.errors import ConfigError, Problem
from ennio.plugins.github.address import PUBLIC, GitHubAddress, found_in
from ennio.plugins.web.fields import ApiAddressField

_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Access:
    """Which repository, and with what token; None: it is looked for."""

    address: GitHubAddress
    token: str | None = field(default=None, repr=False)
    webhook_secret: str | None = field(default=None, repr=False)


class RepositoryNameField(StringField):
    """The name of an owner or a repository on GitHub."""

    def judged(self, text: str) -> str:
        """The name when it is one of GitHub's."""
        name = text.strip()
        if not _NAME.fullmatch(name) or name in (".", ".."):
            wanted = "write owner and repo each by itself, such as owner: acme and repo: shop"
            raise ValidationError(f"{{value}} is no name of GitHub's: {wanted}")
        return name


class GitHubAccessSchema(SettingsSchema):
    """The settings that every plugin for GitHub takes: which repository, and with what token."""

    at_once = False
    owner = RepositoryNameField("Who owns the repository", shown="from `repo` of the project")
    repo = RepositoryNameField("Its name", shown="from `repo` of the project")
    token = WordField("The token", shown="GH_TOKEN, GITHUB_TOKEN, or that of gh")
    api_url = ApiAddressField(
        "Where the API is", "https://HOST/api/v3", shown="from `repo` of the project"
    )
    webhook_secret = WordField("The secret that webhooks are signed with")


def read(
    schema: type[GitHubAccessSchema], config: Mapping[str, Any], source: str, project: Project
) -> tuple[Access, dict[str, Any]]:
    """The access, and what else was given by name. Raises ConfigError
    with every problem at once.
    """
    return of_values(plugin_settings.read(schema, config, source), source, project)


def of_values(
    values: Mapping[str, Any], source: str, project: Project
) -> tuple[Access, dict[str, Any]]:
    """The access in settings that were read, and the rest of them. Raises ConfigError
    where no repository is known.
    """
    address = found_address(project, values)
    if address is None:
        missing = "owner and repo are missing, and the project's repo address does not tell them"
        raise ConfigError(source, [Problem("owner", missing)])
    access = Access(address, values.get("token"), values.get("webhook_secret"))
    own = GitHubAccessSchema.keys()
    return access, {key: value for key, value in values.items() if key not in own}


def found_address(project: Project, values: Mapping[str, Any]) -> GitHubAddress | None:
    """As configured; what is left out follows from the repository's address.
    None when neither tells.

    Also of settings that nobody has checked: what is no text there is passed over.
    """
    values = {key: value for key, value in values.items() if isinstance(value, str)}
    found = found_in(project.repo)
    owner = values.get("owner") or (found and found.owner)
    name = values.get("repo") or (found and found.name)
    if not owner or not name:
        return None
    return GitHubAddress(owner, name, values.get("api_url") or (found.api if found else PUBLIC))
