"""A host behind a node: every call of ``Host`` goes there over gRPC.

Under greenlets and under threads. What a host raised over there is raised here as itself; whatever
else goes wrong is ``Unreachable``: nothing is known then, and it may be asked again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from ennio import __version__
from ennio.hosts.brief import Brief
from ennio.hosts.calls import CALLS, INTERFACE, HostCall, answered, packed, unpacked
from ennio.hosts.observation import News
from ennio.model.errors import EnnioError, Unreachable
from ennio.model.failpoints import failpoint
from ennio.model.terminal_view import TerminalOutput
from ennio.node import ennio_node_pb2 as messages
from ennio.node.channel import opened
from ennio.node.following import Following
from ennio.node.status import error_of

SOON, LATE = 120.0, 3600.0
"""Seconds that a call may take: most, and those that may move a repository or read a disk."""
_LATE = frozenset(
    {
        *("make", "prepare", "remove", "launch", "stop", "changes", "changed_file"),
        "commented_files",
        *("branch_changes", "try_merges", "preserved", "preserved_contents", "preserved_restore"),
        *("disk_usage", "forget_logs"),
    }
)
_SLACK = 30.0  # seconds that an answer may be late


@dataclass(frozen=True, slots=True)
class NodeDescription:
    """What a node says of itself; see DescribeResponse in the protocol."""

    version: str
    interface: str
    pid: int
    uptime: int
    root: str
    sessions: int
    sessions_known: bool
    free_memory: int
    free_disk: int
    idle_timeout: int
    instance: str

    @property
    def fits(self) -> bool:
        """Whether hosts can be asked through it from here."""
        return self.interface == INTERFACE


class NodeHost:
    """See ``Host``. ``target`` is where the node is reached from here, as gRPC writes it;
    ``token`` what it asks for.
    """

    def __init__(
        self, name: str, target: str, token: str | None = None, *, channel: Any = None
    ) -> None:
        self.name = name
        self._channel = channel if channel is not None else opened(target)
        self._metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        self._lock = threading.Lock()
        self._news: tuple[str, Following] | None = None
        self._terminals: dict[tuple[str, str, int], tuple[TerminalOutput, Following]] = {}
        self._calls = {
            f"{service.name}.{method.name}": _call(self._channel, service, method)
            for service in messages.DESCRIPTOR.services_by_name.values()
            for method in service.methods
        }

    def __getattr__(self, name: str) -> Any:
        call = CALLS.get(name)
        if call is None:
            raise AttributeError(name)
        return lambda *args, **kwargs: self._ask(call, *args, **kwargs)

    def close(self) -> None:
        """Let go of the connection; the node goes on."""
        with self._lock:
            kept = [self._news[1]] if self._news is not None else []
            kept += [following for _, following in self._terminals.values()]
            self._news = None
            self._terminals.clear()
        for following in kept:
            following.end()
        self._channel.close()

    # --- the node itself --------------------------------------------------------------------------

    def describe(self, timeout: float = 10.0) -> NodeDescription:
        """What it is; any version answers. Raises Unreachable, Unauthorized."""
        told = self._node("EnnioHost.Describe", messages.DescribeRequest(), timeout)
        return NodeDescription(
            version=told.version,
            interface=told.interface,
            pid=told.pid,
            uptime=told.uptime_secs,
            root=told.root,
            sessions=told.sessions,
            sessions_known=told.sessions_known,
            free_memory=told.free_memory_bytes,
            free_disk=told.free_disk_bytes,
            idle_timeout=told.idle_timeout_secs,
            instance=told.instance,
        )

    def heartbeat(self, timeout: float = 10.0) -> int:
        """Its uptime in seconds. Raises Unreachable, Unauthorized."""
        told = self._node("EnnioNode.Heartbeat", messages.HeartbeatRequest(), timeout)
        if not told.healthy:
            raise Unreachable(f"{self._who} says that it is not well")
        return int(told.uptime_secs)

    def shutdown(self, *, graceful: bool = True, timeout: float = 10.0) -> bool:
        """Have it end; its sessions go on. Raises Unreachable, Unauthorized."""
        request = messages.ShutdownRequest(graceful=graceful)
        return bool(self._node("EnnioNode.Shutdown", request, timeout).accepted)

    @failpoint("node.ask")
    def _node(self, name: str, request: Any, timeout: float) -> Any:
        try:
            return self._calls[name](request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._error(error) from error
        except ValueError as error:  # it was closed
            raise Unreachable(f"{self._who} cannot be asked: {error}") from error

    # --- its host ---------------------------------------------------------------------------------

    @failpoint("node.call")
    def _ask(self, call: HostCall, *args: Any, **kwargs: Any) -> Any:
        request = call.request(*args, **kwargs)
        return self._heard(call, lambda: self._exchanged(request, _deadline(call, args, kwargs)))

    def _exchanged(self, request: Mapping[str, Any], timeout: float) -> Any:
        ask = self._calls["EnnioHost.Call"]
        return ask(_wrapped(request), timeout=timeout, metadata=self._metadata)

    def _heard(self, call: HostCall, ask: Callable[[], Any]) -> Any:
        """What it answered. Raises what it raised, and Unreachable for everything else."""
        try:
            told = ask()
            return None if told is None else answered(call, unpacked(told.answer))
        except grpc.RpcError as error:
            raise _unknown(self._error(error)) from error
        except ValueError as error:
            raise Unreachable(f"{self._who} cannot be asked: {error}") from error

    # --- what is waited for -----------------------------------------------------------------------

    def news(self, cursor: str, timeout: float) -> News:
        """See ``Host``: one stream for all who go on where the last one heard."""
        call = CALLS["news"]
        with self._lock:
            kept, self._news = self._news, None
        if kept is not None and (kept[0] != cursor or kept[1].over):
            kept[1].end()
            kept = None
        following = kept[1] if kept is not None else self._followed("Watch", call, cursor, 0.0)
        told: News | None = self._heard(call, lambda: following.next(timeout))
        heard = News(cursor) if told is None else told
        with self._lock:
            others, self._news = self._news, (heard.cursor, following)
        if others is not None:
            others[1].end()
        return heard

    def watch(
        self, brief: Brief, stream: str | None, offset: int, timeout: float
    ) -> TerminalOutput:
        """See ``Host``: a stream for each who goes on where the last piece ended."""
        call = CALLS["watch"]
        with self._lock:
            kept = self._terminals.pop((brief.session_id, stream or "", offset), None)
            left = [place for place, (_, each) in self._terminals.items() if each.is_read]
            for place in left:  # whoever looked has gone
                del self._terminals[place]
        if kept is None or kept[1].over:
            following = self._followed("Terminal", call, brief, stream, offset, 0.0)
            last, wait = None, SOON  # the first piece comes at once
        else:
            (last, following), wait = kept, timeout
        told: TerminalOutput | None = self._heard(call, lambda: following.next(wait))
        if told is None and last is None:
            raise Unreachable(f"{self._who} shows no terminal of {brief.session_id}")
        piece = told if told is not None else _nothing_new(last)
        if not piece.ended:
            with self._lock:
                self._terminals[brief.session_id, piece.stream, piece.following] = piece, following
        return piece

    def _followed(self, name: str, call: HostCall, *args: Any) -> Following:
        request, ask = _wrapped(call.request(*args)), self._calls[f"EnnioHost.{name}"]
        try:
            return Following(lambda lasts: ask(request, timeout=lasts, metadata=self._metadata))
        except ValueError as error:  # it was closed
            raise Unreachable(f"{self._who} cannot be asked: {error}") from error

    # --- what went wrong --------------------------------------------------------------------------

    @property
    def _who(self) -> str:
        return f"the node on {self.name or 'this machine'}"

    def _error(self, error: Any) -> EnnioError:
        code, words = error.code(), error.details() or "it says nothing of why"
        if code is grpc.StatusCode.FAILED_PRECONDITION:
            words += f" (this is Ennio {__version__})"
        return error_of(code, f"{self._who}: {words}")


def _unknown(error: EnnioError) -> EnnioError:
    """Of a host that could not be asked nothing is known, whoever could mend that."""
    return error if isinstance(error, Unreachable) else Unreachable(str(error))


def _wrapped(request: Mapping[str, Any]) -> Any:
    return messages.HostRequest(interface=INTERFACE, call=packed(request))


def _deadline(call: HostCall, args: Any, kwargs: Any) -> float:
    """Seconds after which an answer is waited for no more; it is done all the same."""
    given = call.signature.bind(None, *args, **kwargs).arguments
    if "timeout" in given:
        return float(given["timeout"]) + _SLACK
    brief = given.get("brief")
    if call.name == "prepare" and isinstance(brief, Brief):
        return LATE + brief.post_create_timeout * len(brief.post_create)
    return LATE if call.name in _LATE else SOON


def _nothing_new(last: TerminalOutput | None) -> TerminalOutput:
    assert last is not None  # noqa: S101 - whoever calls has seen to it
    return TerminalOutput(last.stream, last.following, b"", last.columns, last.rows)


def _call(channel: Any, service: Any, method: Any) -> Any:
    """What asks for one of the protocol's calls."""
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    answer = getattr(messages, method.output_type.name)
    return make(
        f"/{service.full_name}/{method.name}",
        lambda message: message.SerializeToString(),
        answer.FromString,
    )
