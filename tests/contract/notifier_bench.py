"""The channels of the contract: each with what it tells to, as real as it can be here."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from ennio.machine.home import Home
from ennio.model.clock import ManualClock
from ennio.model.errors import Unreachable
from ennio.plugins.notifier.desktop import NotifySend
from ennio.plugins.notifier.interface import Notifier
from ennio.plugins.notifier.stub import StubNotifier
from ennio.plugins.registry import PluginContext, factory
from tests.notices import slack
from tests.notices.desktop import desktop
from tests.notices.hook_server import HookServer, Reply
from tests.notices.ntfy import Ntfy

SECRET = "T0000-s3cr3t-B0000"  # stands in every address


class Bench(Protocol):
    """A channel and its world. ``once``: what has the same id is shown once.
    ``takes_back``: it can withdraw.
    """

    notifier: Any
    once: bool
    takes_back: bool

    def texts(self) -> list[str]:
        """What people were told, oldest first, as they read it."""
        ...

    def shown(self) -> int:
        """How many are there now, where that can be known."""
        ...

    def down(self) -> None:
        """Let nobody answer."""
        ...

    def up(self) -> None:
        """Let it be as before."""
        ...


class StubBench:
    once = takes_back = False

    def __init__(self) -> None:
        self.notifier = StubNotifier("team")

    def texts(self) -> list[str]:
        return [f"{one.title}\n{one.message}\n{one.url}" for one in self.notifier.sent]

    def shown(self) -> int:
        return len(self.notifier.sent)

    def down(self) -> None:
        self.notifier.trouble = Unreachable("the channel is down")

    def up(self) -> None:
        self.notifier.trouble = None


class HookBench:
    """A channel that speaks HTTP; ``read`` finds in a request what a person would read."""

    once = takes_back = False

    def __init__(
        self, server: HookServer, notifier: Notifier, read: Callable[[Mapping[str, Any]], str]
    ) -> None:
        self.server, self.notifier, self._read = server, notifier, read

    def texts(self) -> list[str]:
        return [self._read(one.body) for one in self.server.posts() if one.body]

    def shown(self) -> int:
        return len(self.texts())

    def down(self) -> None:
        self.server.otherwise = Reply(503, f"no {SECRET} today".encode())
        self._before = len(self.server.told)

    def up(self) -> None:
        del self.server.told[self._before :]
        self.server.otherwise = Reply()


class DesktopBench:
    once = takes_back = True

    def __init__(self, desk: Any) -> None:
        self.desk, self.notifier = desk, NotifySend("team", desk.env)

    def texts(self) -> list[str]:
        return [html.unescape(f"{one['summary']}\n{one['body']}") for one in self.desk.seen()]

    def shown(self) -> int:
        return int(self.desk.displayed())

    def down(self) -> None:
        self.desk.stop()

    def up(self) -> None:
        self.desk.start()


class NtfyBench:
    once = takes_back = True

    def __init__(self, server: Ntfy, notifier: Notifier) -> None:
        self.server, self.notifier = server, notifier

    def texts(self) -> list[str]:
        assert self.server.faults == []
        return ["{title}\n{message}\n{click}".format_map({"click": "", **one})
                for one in self.server.published]  # fmt: skip

    def shown(self) -> int:
        return len(self.server.shown)

    def down(self) -> None:
        self.server.down = True

    def up(self) -> None:
        self.server.down = False


class ProgramBench:
    """A program that writes down what it is given, until there is a file that stops it."""

    once = takes_back = False

    def __init__(self, folder: Path) -> None:
        self._kept, self._stop = folder / "told", folder / "stop"
        script = folder / "tell"
        script.write_text(
            f"#!/bin/sh\n[ ! -e {self._stop} ] || {{ echo no $KEY >&2; exit 7; }}\n"
            f"cat >>{self._kept}; echo >>{self._kept}\n"
        )
        script.chmod(0o755)
        settings = {"argv": [str(script)], "env": {"KEY": SECRET}}
        self.notifier = made("command", settings, folder)

    def texts(self) -> list[str]:
        lines = self._kept.read_text().splitlines() if self._kept.exists() else []
        return ["{title}\n{message}\n{url}".format_map(json.loads(line)) for line in lines]

    def shown(self) -> int:
        return len(self.texts())

    def down(self) -> None:
        self._stop.touch()

    def up(self) -> None:
        self._stop.unlink()


def made(plugin: str, settings: Mapping[str, Any], folder: Path) -> Notifier:
    """A channel as the registry makes it."""
    context = PluginContext(
        Home(folder / "home"), ManualClock(), settings=settings, directory=folder, name="team"
    )
    channel: Notifier = factory("notifier", plugin)(context)
    return channel


def _stub(_folder: Path) -> Iterator[Bench]:
    yield StubBench()


def _webhook(folder: Path) -> Iterator[Bench]:
    with HookServer() as server:
        settings = {"url": f"{server.url}/{SECRET}", "secret": SECRET, "timeout": "2s"}
        read = "{title}\n{message}\n{url}".format_map
        yield HookBench(server, made("webhook", settings, folder), read)


def _desktop(_folder: Path) -> Iterator[Bench]:
    with desktop() as desk:
        yield DesktopBench(desk)


def _slack(folder: Path) -> Iterator[Bench]:
    def read(body: Mapping[str, Any]) -> str:
        buttons = [one for block in body["blocks"] for one in block.get("elements", ())]
        urls = [one["url"] for one in buttons if "url" in one]
        return html.unescape("\n".join((body["text"], *urls)))

    with HookServer(judge=slack.judge) as server:
        settings = {"webhook_url": f"{server.url}/services/{SECRET}", "timeout": "2s"}
        bench = HookBench(server, made("slack", settings, folder), read)
        yield bench
        assert set(server.faults) <= {"no_text"}, "a probe has no words, and nothing else is wrong"


def _ntfy(folder: Path) -> Iterator[Bench]:
    with Ntfy(SECRET, "tk_1") as server:
        settings = {"url": server.url, "topic": SECRET, "token": "tk_1", "timeout": "2s"}
        yield NtfyBench(server, made("ntfy", settings, folder))


def _command(folder: Path) -> Iterator[Bench]:
    yield ProgramBench(folder)


def _apprise(folder: Path) -> Iterator[Bench]:
    pytest.importorskip("apprise")
    with HookServer() as server:
        url = f"json://127.0.0.1:{server.port}/{SECRET}"
        read = "{title}\n{message}".format_map
        yield HookBench(server, made("apprise", {"url": url}, folder), read)


BENCHES: Mapping[str, Callable[[Path], Iterator[Bench]]] = {
    "stub": _stub,
    "webhook": _webhook,
    "desktop": _desktop,
    "slack": _slack,
    "ntfy": _ntfy,
    "command": _command,
    "apprise": _apprise,
}
