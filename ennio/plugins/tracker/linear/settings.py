"""What a project may set under ``tracker_config.config`` of Linear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, validates_schema

from ennio.config.fields import SettingsSchema
from ennio.config.number_fields import BoolField
from ennio.config.plugin_settings import read
from ennio.config.text_fields import WordField
from ennio.plugins.tracker.interface import MilestoneKind
from ennio.plugins.tracker.wishes import by_milestone, comment
from ennio.plugins.web.fields import ApiAddressField

PUBLIC = "https://api.linear.app/graphql"
_SECRET = ("api_key", "token")


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """How a project uses Linear.

    ``authorization`` is the header's value: an API key as it is, an OAuth token as a bearer.
    ``states`` names the workflow state an issue is put into at a milestone; ``link``
    attaches the pull request.
    """

    authorization: str = field(repr=False)
    api_url: str = PUBLIC
    team: str | None = None
    states: Mapping[MilestoneKind, str] = field(default_factory=dict)
    comment: tuple[MilestoneKind, ...] = ()
    link: bool = True
    close_on_merge: bool = False


class TeamField(WordField):
    """The key of a team, which Linear writes in capitals."""

    def judged(self, text: str) -> str:
        """The key as Linear writes it."""
        return text.strip().upper()


class LinearSchema(SettingsSchema):
    """``tracker_config.config`` of ``plugin: linear``."""

    makes = LinearSettings
    at_once = False
    api_key = WordField("The API key: it or `token` is needed")
    token = WordField("An OAuth token, in place of `api_key`")
    api_url = ApiAddressField("Where the API is", PUBLIC)
    team = TeamField("The key of the team whose issues are listed", shown="all teams")
    states = by_milestone(
        "The state an issue is put into, by milestone", WordField("A state", none=True)
    )
    comment = comment()
    link = BoolField("Whether the pull request is attached to the issue")
    close_on_merge = BoolField("Close the issue when its pull request is merged")

    @validates_schema(skip_on_field_errors=False)
    def _opens(self, data: dict[str, Any], **_: Any) -> None:
        if not any(key in data for key in _SECRET):
            where = "Linear: Settings, Security & access, API keys"
            raise ValidationError(
                {"api_key": [f"is missing; write api_key: ${{LINEAR_API_KEY}} ({where})"]}
            )


def parse(config: Mapping[str, Any]) -> LinearSettings:
    """Read the settings. Raises ConfigError with every problem at once, none
    of them showing a secret.
    """
    return of_values(read(LinearSchema, config, "tracker_config.config"))


def of_values(values: Mapping[str, Any]) -> LinearSettings:
    """The settings, of values that were read."""
    rest = dict(values)
    key, token = (rest.pop(name, None) for name in _SECRET)
    states = {
        MilestoneKind(name): state
        for name, state in rest.pop("states", {}).items()
        if state is not None
    }
    return LinearSettings(authorization=key or f"Bearer {token}", states=states, **rest)
