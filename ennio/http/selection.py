"""Which events somebody wants: of a session, a project, some types, from some priority on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from ennio.http.fields import ChoiceField, ChoiceListField, IdField, RequestField
from ennio.model.events import Event, EventType
from ennio.model.session import Priority

SELECTION: Mapping[str, RequestField] = {
    "session_id": IdField(),
    "project_id": IdField(),
    "type": ChoiceListField(tuple(EventType)),
    "priority": ChoiceField(tuple(Priority)),
}


class EventFilters(TypedDict):
    """The same as the store's queries take it."""

    session_id: str | None
    project_id: str | None
    types: tuple[str, ...] | None
    min_priority: Priority | None


@dataclass(frozen=True, slots=True)
class EventSelection:
    """A choice of events; what is None or empty does not restrict. ``priority`` is the lowest wanted."""

    session_id: str | None = None
    project_id: str | None = None
    types: tuple[str, ...] = ()
    priority: Priority | None = None

    @classmethod
    def of_query(cls, query: Mapping[str, Any]) -> EventSelection:
        """The selection in a query read with SELECTION among its fields."""
        least = query["priority"]
        return cls(query["session_id"], query["project_id"], query["type"], Priority(least) if least else None)

    def wants(self, event: Event) -> bool:
        """Whether this event is one of them."""
        return (
            self.session_id in (None, event.session_id)
            and self.project_id in (None, event.project_id)
            and (not self.types or event.event_type in self.types)
            and (self.priority is None or event.priority.rank >= self.priority.rank)
        )

    def filters(self) -> EventFilters:
        """The selection as keywords of the store's queries."""
        return {
            "session_id": self.session_id,
            "project_id": self.project_id,
            "types": self.types or None,
            "min_priority": self.priority,
        }
