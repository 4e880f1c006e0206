"""How two sides of a node's connection hold it: how long a message may be, and how they notice
that nobody is there any more.
"""

from __future__ import annotations

import sys
from typing import Any

import grpc

LARGEST = 64 << 20
"""Bytes of one message, either way."""
EVERY, WITHIN = 20.0, 10.0
"""Seconds without a word after which the other side is asked for one, and that it may take."""


def keepalive(every: float = EVERY, within: float = WITHIN) -> tuple[tuple[str, int], ...]:
    """What has a side notice that the other one is gone."""
    return (
        ("grpc.keepalive_time_ms", int(every * 1000)),
        ("grpc.keepalive_timeout_ms", int(within * 1000)),
        ("grpc.http2.ping_timeout_ms", int(within * 1000)),  # the longer of the two counts
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
        ("grpc.http2.max_ping_strikes", 0),
    )


_AGAIN = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)
"""A tunnel that stands again is used again soon; nothing is tried before somebody asks."""
_cooperative = False


def opened(target: str, *, every: float = EVERY, within: float = WITHIN) -> Any:
    """A channel to a node: ``127.0.0.1:9100``, or ``unix:/path`` for the near end of a tunnel."""
    _cooperate()
    return grpc.insecure_channel(
        target,
        options=[
            ("grpc.max_receive_message_length", LARGEST),
            ("grpc.max_send_message_length", LARGEST),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
            *_AGAIN,
            *keepalive(every, within),
        ],
    )


def _cooperate() -> None:
    """Where threads are greenlets, have gRPC wait as they do; once for a process."""
    global _cooperative  # noqa: PLW0603 - gRPC has one mode for the process
    patched = sys.modules.get("gevent.monkey")
    if _cooperative or patched is None or not patched.is_module_patched("threading"):
        return
    from grpc.experimental.gevent import init_gevent  # noqa: PLC0415 - it imports gevent

    init_gevent()
    _cooperative = True
