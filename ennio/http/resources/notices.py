"""What people are told, and the channels it goes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from ennio.actors.orchestrator import ChannelView, Notice
from ennio.http.operation import Resource, operation, word
from ennio.http.response_cache import cached
from ennio.model.request_fields import FlagField, NumberField


@dataclass(frozen=True, slots=True)
class NoticesQuery:
    """How many of them, and which."""

    limit: Annotated[int, NumberField(1, 1000)] = 50
    failed: Annotated[bool, FlagField()] = False


class NoticesResource(Resource):
    """Notices and channels."""

    @cached
    @operation("What people were told, latest first.", list[Notice], query=NoticesQuery)
    def on_get(self, query: NoticesQuery) -> Sequence[Notice]:
        """List the latest, or those that some channel did not take."""
        return self._orchestrator.notices.list(query.limit, failed=query.failed)

    @operation("The channels to people.", list[ChannelView])
    def on_get_channels(self) -> Sequence[ChannelView]:
        """List them, with what waits for each."""
        return self._orchestrator.notices.channels()

    @operation("Tell a channel a test, at once.", word("told"))
    def on_post_test(self, name: str) -> str:
        """Tell it; what the channel says against it is the answer's error."""
        return self._orchestrator.notices.test_channel(name)
