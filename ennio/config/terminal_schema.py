"""What of ``ennio.yaml`` is about agents' terminals, as people see them in a browser."""

from __future__ import annotations

from ennio.config.fields import MappingSchema
from ennio.config.model import TerminalAccess
from ennio.config.number_fields import BoolField, IntField


class TerminalSchema(MappingSchema):
    """``terminal``: what may be done with them there."""

    makes = TerminalAccess
    read_only = BoolField("Nobody types into an agent's terminal from a browser")


PORT = IntField(
    "A second port for the same pages and the same API; 0: any that is free; left out, there is "
    "none",
    0,
    65535,
    none=True,
)
DIRECT_PORT = IntField("The same as `terminal_port`", 0, 65535, none=True)
