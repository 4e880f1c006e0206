"""Which events somebody wants: of a session, a project, some types, from some priority on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from ennio.model.events import Event, EventType, lowered
from ennio.model.request_fields import ChoiceField, ChoiceListField, IdField, TextField
from ennio.model.session import Priority


class EventFilters(TypedDict):
    """The same as the store's queries take it."""

    session_id: str | None
    project_id: str | None
    types: tuple[str, ...] | None
    min_priority: Priority | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKinds:
    """Some types of events, from a priority on, with some words in the message, ASCII letters in
    either case; what is None or empty does not restrict.
    """

    type: Annotated[tuple[EventType, ...], ChoiceListField(EventType)] = ()
    priority: Annotated[Priority | None, ChoiceField(Priority)] = None
    text: Annotated[str | None, TextField()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSelection(EventKinds):
    """A choice of events: those of some kinds, of a session, of a project."""

    session_id: Annotated[str | None, IdField()] = None
    project_id: Annotated[str | None, IdField()] = None

    def wants(self, event: Event) -> bool:
        """Whether this event is one of them."""
        return (
            self.session_id in (None, event.session_id)
            and self.project_id in (None, event.project_id)
            and (not self.type or event.event_type in self.type)
            and (self.priority is None or event.priority.rank >= self.priority.rank)
            and (self.text is None or lowered(self.text) in lowered(event.message))
        )

    def filters(self) -> EventFilters:
        """The selection as keywords of the store's queries."""
        return {
            "session_id": self.session_id,
            "project_id": self.project_id,
            "types": self.type or None,
            "min_priority": self.priority,
            "text": self.text,
        }
