"""What may stand under ``notifiers`` and ``notification_routing``."""

from __future__ import annotations

from typing import Any, cast

from marshmallow import ValidationError, validates_schema

from ennio.config import model
from ennio.config.fields import (
    AnyField,
    ContainerField,
    Json,
    ListField,
    MapField,
    MappingSchema,
    NestedField,
)
from ennio.config.number_fields import DurationField, IntField
from ennio.config.reactions import KEYS
from ennio.config.text_fields import EnumField, StringField
from ennio.config.time_fields import TimeOfDayField, ZoneField
from ennio.model.session import Priority


class QuietHoursSchema(MappingSchema):
    """``quiet_hours`` of a channel."""

    makes = model.QuietHours
    start = TimeOfDayField("When they begin", key="from", required=True)
    end = TimeOfDayField("When they end, perhaps on the next day", key="to", required=True)
    timezone = ZoneField("Whose clock it is, such as Europe/Berlin", shown="this machine's")
    unless = EnumField("From which priority on it is told all the same", Priority)

    @validates_schema(skip_on_field_errors=True)
    def _is_a_time(self, data: dict[str, Any], **_: Any) -> None:
        if data["start"] == data["end"]:
            raise ValidationError(
                {"to": ["is when they begin: they would never begin, or never end"]}
            )


class RateLimitSchema(MappingSchema):
    """``rate_limit`` of a channel."""

    makes = model.RateLimit
    messages = IntField("How many messages it is told; what is beyond becomes one", 1, 10_000)
    within = DurationField("In which time", least=1)


class NotifierSchema(MappingSchema):
    """One of ``notifiers``."""

    makes = model.NotifierConfig
    plugin = StringField("The name of the plugin", required=True)
    name = StringField("The name used in routing; unique", required=True)
    config = MapField("The plugin's own settings", AnyField())
    quiet_hours = NestedField("When it is told nothing that can wait", QuietHoursSchema)
    rate_limit = NestedField("How much it is told at once", RateLimitSchema)


class RouteSchema(MappingSchema):
    """A route that is a mapping."""

    makes = model.Route
    channels = ListField("Names of notifiers", StringField("The name of a notifier"), required=True)
    min_priority = EnumField("From which priority on; below it the route is none", Priority)


class RouteField(ContainerField[model.Route]):
    """A list of notifiers, or a mapping that says from which priority on."""

    kind = "list of notifiers, or mapping"

    def __init__(self, about: str) -> None:
        super().__init__(about)
        self._names = ListField(about, StringField("The name of a notifier"))
        self._mapping = NestedField(about, RouteSchema)

    def read(self, value: Any) -> model.Route:
        """The route."""
        if isinstance(value, dict):
            return cast("model.Route", self._mapping.read(value))
        return model.Route(self._names.read(value))

    def json(self) -> Json:
        """Either of both, or null."""
        return {"anyOf": [self._names.json(), self._mapping.json()]}


def routing(about: str, *others: str) -> MapField:
    """Routes by the keys of reactions, and by these others."""
    return MapField(about, RouteField("A route"), keys=(*KEYS, *others))
