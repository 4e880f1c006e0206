"""What of ``ennio.yaml`` is about agents that use up a plan, or more than they may."""

from __future__ import annotations

from ennio.config.fan_out import FanOut
from ennio.config.fields import MappingSchema
from ennio.config.number_fields import IntField

_MANY = 2**48


class FanOutSchema(MappingSchema):
    """``fan_out``: the limits beyond which the reaction of that name fires."""

    makes = FanOut
    at_once = False
    agents = IntField(
        "How many agents of its own an agent may have at work at once; null: any number",
        0,
        2**32 - 1,
        none=True,
    )
    tokens_per_minute = IntField(
        "How many tokens it may use within a minute, without those read from a cache; null: any "
        "number",
        0,
        _MANY,
        none=True,
    )
