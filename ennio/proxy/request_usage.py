"""What a request past the proxy used, as the books take it in. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from ennio.model.usage import Billing, RequestUsage, Tokens
from ennio.proxy.apis import Measured
from ennio.proxy.journal import Ended

_REFUSED = 400
_PROVIDERS = {"messages": "anthropic", "responses": "openai", "chat": "openai"}


def usage_of(ended: Ended, billing: Billing) -> RequestUsage | None:
    """What a request used; None for one that was answered with an error, or not at all."""
    measured = ended.measured
    if not measured.known and (ended.status is None or ended.status >= _REFUSED):
        return None
    return RequestUsage(
        ended.id,
        datetime.fromtimestamp(ended.at, UTC),
        _tokens(measured),
        measured.model,
        _PROVIDERS.get(ended.protocol),
        measured.tier,
        billing=billing,
        launch=ended.launch,
        unmeasured=not measured.known,
    )


def _tokens(measured: Measured) -> Tokens:
    written, hour = measured.cache_write_tokens or 0, measured.cache_write_1h_tokens or 0
    return Tokens(
        measured.input_tokens or 0,
        measured.output_tokens or 0,
        measured.cache_read_tokens or 0,
        max(0, written - hour),
        hour,
        measured.web_searches or 0,
    )
