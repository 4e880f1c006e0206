"""The gRPC server of a node: every call in a thread of its own.

So many calls and so many streams at once, no message longer than it may be; what is beyond is told
as RESOURCE_EXHAUSTED. A call whose caller has gone is done to its end all the same: who asks again
finds it done. It serves from real threads, so nothing here may be imported into a process whose
threads are greenlets.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc

from ennio.model.errors import EnnioError, Exhausted, run_out
from ennio.node import ennio_node_pb2 as messages
from ennio.node.access import NodeAccess, TokenGate
from ennio.node.activity import CallActivity
from ennio.node.channel import LARGEST, keepalive
from ennio.node.documented import DocumentedCalls
from ennio.node.host_calls import HostCalls
from ennio.node.status import code_of

log = logging.getLogger(__name__)

QUIET = frozenset({"Heartbeat", "Describe", "Watch"})
"""What somebody asks who needs nothing done."""
_LONGEST_WORDS = 2000  # they travel as a header


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """How much may be under way at once, and how long it may be."""

    calls: int = 128
    streams: int = 128
    bytes: int = LARGEST


class NodeServer:
    """Answers the documented service and that of hosts. ``end`` is what Shutdown calls, with
    whether what is at work may be done to its end.
    """

    def __init__(
        self,
        documented: DocumentedCalls,
        host: HostCalls,
        access: NodeAccess,
        activity: CallActivity,
        end: Callable[[bool], None],
        limits: NodeLimits | None = None,
    ) -> None:
        self._documented = documented
        self._host = host
        self._activity = activity
        self._end = end
        self._limits = limits or NodeLimits()
        self._streams = threading.BoundedSemaphore(self._limits.streams)
        self._following = set[Any]()
        self._ending = threading.Event()
        most = self._limits.calls + self._limits.streams
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="call")
        self._server = grpc.server(
            self._pool,
            interceptors=[TokenGate(access)],
            maximum_concurrent_rpcs=most,
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", self._limits.bytes),
                ("grpc.max_send_message_length", self._limits.bytes),
                *keepalive(),
            ],
        )
        self._server.add_generic_rpc_handlers(
            (_handlers("EnnioNode", self._nine()), _handlers("EnnioHost", self._of_hosts()))
        )

    def listen(self, port: int) -> int:
        """Begin to answer on a port of the loopback (0: a free one); which. Raises OSError."""
        try:
            bound = int(self._server.add_insecure_port(f"127.0.0.1:{port}"))
        except RuntimeError as error:
            raise OSError(f"port {port} of 127.0.0.1 cannot be had: {error}") from error
        if not bound:
            raise OSError(f"port {port} of 127.0.0.1 cannot be had")
        self._server.start()
        return bound

    def stop(self, grace: float) -> None:
        """Take no more calls; those at work have so many seconds to be done, and their answers to
        arrive. Streams end at once.

        A call is over for gRPC once its answer was handed on: much of a long one lies in our memory
        then, and whoever cancels what is left closes the connection before it. So the connections
        are left to close by themselves, each once its peer has confirmed that it has all.
        """
        until = time.monotonic() + grace
        self._ending.set()
        over = self._server.stop(grace)
        for stream in tuple(self._following):
            stream.cancel()
        self._activity.settle(grace)
        over.wait(max(0.0, until - time.monotonic()))
        self._server.stop(0)
        over.wait(1)
        self._pool.shutdown(wait=False)

    # --- what is answered -------------------------------------------------------------------------

    def _nine(self) -> Mapping[str, Callable[..., Any]]:
        calls = self._documented
        return {
            "CreateWorkspace": self._one("CreateWorkspace", calls.create_workspace),
            "DestroyWorkspace": self._one("DestroyWorkspace", calls.destroy_workspace),
            "CreateRuntime": self._one("CreateRuntime", calls.create_runtime),
            "DestroyRuntime": self._one("DestroyRuntime", calls.destroy_runtime),
            "SendMessage": self._one("SendMessage", calls.send_message),
            "GetOutput": self._one("GetOutput", calls.get_output),
            "IsAlive": self._one("IsAlive", calls.is_alive),
            "Heartbeat": self._one("Heartbeat", self._heartbeat),
            "Shutdown": self._one("Shutdown", self._shutdown),
        }

    def _of_hosts(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "Describe": self._one("Describe", self._host.describe),
            "Call": self._one("Call", self._host.call),
            "Watch": self._many("Watch", self._host.watch),
            "Terminal": self._many("Terminal", self._host.terminal),
        }

    def _heartbeat(self, request: Any) -> Any:
        del request
        return messages.HeartbeatResponse(healthy=True, uptime_secs=self._host.uptime)

    def _shutdown(self, request: Any) -> Any:
        self._end(request.graceful)
        return messages.ShutdownResponse(accepted=True)

    # --- around each ------------------------------------------------------------------------------

    def _one(self, name: str, answer: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def answered(request: Any, context: Any) -> Any:
            if name not in QUIET:
                self._until_sent(context)
            told = self._done(name, answer, request)
            return _refused(context, told) if isinstance(told, EnnioError) else told

        return answered

    def _until_sent(self, context: Any) -> None:
        """Count a call until its answer has left as well: whoever ends the server meanwhile would
        take that away, and what was done would seem unknown. Its work counts by itself, since a
        client that gave up waiting ends the one and not the other.
        """
        self._activity.begin()
        if not context.add_callback(self._activity.end):  # it is over already
            self._activity.end()

    def _done(self, name: str, answer: Callable[[Any], Any], request: Any) -> Any:
        """The answer, or the error instead of it."""
        if name in QUIET:
            return _caught(name, lambda: answer(request))
        with self._activity.call():
            return _caught(name, lambda: answer(request))

    def _many(
        self, name: str, answers: Callable[[Any, Callable[[], bool]], Iterator[Any]]
    ) -> Callable[[Any, Any], Iterator[Any]]:
        def answered(request: Any, context: Any) -> Iterator[Any]:
            if not self._streams.acquire(blocking=False):
                _refused(context, Exhausted(f"no more than {self._limits.streams} streams at once"))
            self._following.add(context)
            try:
                following = answers(request, lambda: self._listens(name, context))
                while (told := _caught(name, lambda: next(following, None))) is not None:
                    if isinstance(told, EnnioError):
                        _refused(context, told)
                    yield told
            finally:
                self._following.discard(context)
                self._streams.release()

        return answered

    def _listens(self, name: str, context: Any) -> bool:
        """Whether a stream goes on; who looks at a terminal is there."""
        if name not in QUIET:
            self._activity.touch()
        return bool(context.is_active()) and not self._ending.is_set()


def _caught(name: str, answer: Callable[[], Any]) -> Any:
    """The answer, or the error that is told instead of it: whatever goes wrong is one."""
    try:
        return answer()
    except EnnioError as error:
        return error
    except OSError as error:
        log.warning("a call failed", extra={"call": name, "error": str(error)})
        return run_out(error) or EnnioError(f"{name}: {error}")
    except Exception as error:
        log.exception("a call failed", extra={"call": name})
        return EnnioError(f"{name} failed: {type(error).__name__}: {error}")


def _refused(context: Any, error: EnnioError) -> None:
    """End the call with the error's status. Raises always."""
    words = str(error)[:_LONGEST_WORDS].encode(errors="replace").decode()
    context.abort(code_of(error), words)


def _handlers(service: str, answers: Mapping[str, Callable[..., Any]]) -> Any:
    """What gRPC takes for a service of the protocol."""
    described = messages.DESCRIPTOR.services_by_name[service]
    return grpc.method_handlers_generic_handler(
        described.full_name,
        {method.name: _handler(method, answers[method.name]) for method in described.methods},
    )


def _handler(method: Any, answer: Callable[..., Any]) -> Any:
    make = (
        grpc.unary_stream_rpc_method_handler
        if method.server_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    request = getattr(messages, method.input_type.name)
    return make(answer, request.FromString, lambda message: message.SerializeToString())
