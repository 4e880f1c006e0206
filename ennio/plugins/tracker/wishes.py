"""Which milestones an issue is told of: what the settings of a tracker say about it, read
the same way everywhere.
"""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from ennio.config.fields import ConfigField, Json, MapField, hint
from ennio.config.text_fields import VARIABLE
from ennio.plugins.tracker.interface import MilestoneKind

ALL = tuple(MilestoneKind)


class MilestonesField(ConfigField[tuple[MilestoneKind, ...]]):
    """Some milestones: a list of names or a single one, ``true`` for all, ``false`` for none."""

    kind = f"list of {', '.join(f'`{name}`' for name in ALL)}; `true`: all"

    def read(self, value: Any) -> tuple[MilestoneKind, ...]:
        """The milestones, each once."""
        if isinstance(value, bool) or value in ("true", "false"):
            return ALL if value in (True, "true") else ()
        if isinstance(value, str):
            return (_milestone(value),)
        if not isinstance(value, (list, tuple)):
            raise ValidationError(
                f"{{value}} is neither true, false nor a list of {', '.join(ALL)}"
            )
        found, errors = [], {}
        for index, item in enumerate(value):
            try:
                found.append(_milestone(item))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return tuple(dict.fromkeys(found))

    def json(self) -> Json:
        """A switch, a name or an array of names."""
        name: Json = {"anyOf": [{"enum": list(ALL)}, VARIABLE]}
        return {
            "anyOf": [
                {"type": "boolean"},
                {"enum": ["true", "false"]},
                name,
                {"type": "array", "items": name},
            ]
        }


def by_milestone(about: str, each: ConfigField[Any]) -> MapField:
    """A mapping from milestones to what each leads to."""
    return MapField(about, each, keys=ALL)


def comment() -> MilestonesField:
    """The setting of every shipped tracker that says what an issue gets a comment for."""
    return MilestonesField("What it gets a comment for", shown="none")


def _milestone(value: Any) -> MilestoneKind:
    try:
        return MilestoneKind(value)
    except ValueError:
        near = hint(value, ALL) if isinstance(value, str) else ""
        words = f": {near}" if near.startswith("did") else ""
        raise ValidationError(
            f"{{value}} is no milestone; there are {', '.join(ALL)}{words}"
        ) from None
