"""The desktop of whoever runs Ennio: notify-send with its urgency, on macOS osascript."""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ennio.config.fields import SettingsSchema
from ennio.machine.inherited import inherited
from ennio.model.errors import Refused, Unreachable
from ennio.model.session import Priority
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.child import ChildResult, run_child
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.notifier.wording import shortened, title, words
from ennio.plugins.registry import PluginContext

_URGENCY = {
    Priority.INFO: "low",
    Priority.ACTION: "normal",
    Priority.URGENT: "critical",
    Priority.CRITICAL: "critical",
}
_LIMIT = 10.0
_LONGEST = 1000
_BUS = "DBUS_SESSION_BUS_ADDRESS"
_OF_A_DESKTOP = (_BUS, "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_SERVER = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications")
_NO_SEND = "notify-send is not installed: sudo apt-get install libnotify-bin (Fedora: libnotify)"


@dataclass(frozen=True, slots=True)
class DesktopSettings:
    """There are none."""


class DesktopSchema(SettingsSchema):
    """``config`` of ``plugin: desktop``."""

    makes = DesktopSettings


class NotifySend:
    """The notification daemon of a D-Bus session.

    A notice has a number that follows from its id, so that told again after doubt it replaces
    itself, and can be taken back: a daemon that gives it another one tells which.
    """

    def __init__(self, name: str, environ: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._environ = os.environ if environ is None else environ

    def notify(self, notification: Notification) -> str | None:
        """See ``Notifier.notify``."""
        told = [title(notification), _body(notification)]
        urgency = f"--urgency={_URGENCY[notification.priority]}"
        common = ["notify-send", "--app-name=Ennio", urgency]
        numbered = f"--replace-id={number_of(notification.id)}"
        done = self._run([*common, "--print-id", numbered, "--", *told])
        if done.code and "nknown option" in done.err:  # libnotify before 0.7.10 knows no numbers
            done = self._run([*common, "--", *told])
        if done.code:
            raise Unreachable(
                f"no notification daemon took it: {done.last_line or 'no reason given'}"
            )
        return found[0] if (found := re.findall(r"^\d+$", done.out, re.MULTILINE)) else None

    def withdraw(self, _notification: Notification, receipt: str | None) -> None:
        """Close it, where there is a program that can."""
        if receipt is None or shutil.which("gdbus") is None:
            return
        self._run(_calling("CloseNotification", receipt))  # one that is closed already is an error

    def probe(self) -> str:
        """Which daemon there is."""
        if shutil.which("notify-send") is None:
            raise Refused(_NO_SEND)
        if shutil.which("gdbus") is None:
            return "notify-send is there; whether a daemon listens is not known without gdbus"
        done = self._run(_calling("GetServerInformation"))
        if done.code:
            raise Unreachable(
                f"no notification daemon answers ({done.last_line}): start Ennio from the "
                f"desktop's own session, or set {_BUS}"
            )
        name, _vendor, version, *_ = (*re.findall(r"'([^']*)'", done.out), "", "", "")
        return f"the desktop's daemon is {name} {version}"

    def _run(self, argv: Sequence[str]) -> ChildResult:
        try:
            return run_child(argv, b"", _desktop(self._environ), _LIMIT)
        except Refused:
            raise Refused(_NO_SEND) from None


class Osascript:
    """The notification centre of macOS, which gives no name to what it shows."""

    def __init__(self, name: str, environ: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._environ = os.environ if environ is None else environ

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``; the words are arguments of the script, and never part of it."""
        script = [word for line in _SCRIPT for word in ("-e", line)]
        told = [title(notification), _plain(notification)]
        done = run_child(["osascript", *script, *told], b"", inherited(self._environ), _LIMIT)
        if done.code:
            raise Unreachable(f"osascript did not show it: {done.last_line or 'no reason given'}")

    def probe(self) -> str:
        """Whether osascript is there."""
        if shutil.which("osascript") is None:
            raise Refused("osascript is not on the PATH")
        return "osascript is there"


def number_of(notice_id: str) -> int:
    """The number of a notice on every desktop, beyond those that daemons count up to."""
    digest = hashlib.sha256(notice_id.encode()).digest()
    return 2**30 + int.from_bytes(digest[:4], "big") % 2**30


def _plain(notification: Notification) -> str:
    return shortened(words(notification), _LONGEST)


def _body(notification: Notification) -> str:
    """What stands below the title: daemons take it for markup."""
    lines = [html.escape(_plain(notification), quote=False)]
    if notification.url:
        lines.append(html.escape(notification.url, quote=False))
    return "\n".join(lines)


def _calling(method: str, *values: str) -> list[str]:
    name, path = _SERVER
    call = ["gdbus", "call", "--session", "--timeout=5", f"--dest={name}", f"--object-path={path}"]
    return [*call, f"--method={name}.{method}", *values]


def _desktop(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program needs to find the desktop; a session's bus lies where systemd puts it."""
    kept = inherited(environ)
    kept |= {name: environ[name] for name in _OF_A_DESKTOP if environ.get(name)}
    folder = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    if _BUS not in kept and (bus := Path(folder) / "bus").exists():
        kept[_BUS] = f"unix:path={bus}"
    return {"PATH": os.defpath, **kept}


@takes(DesktopSchema, OF_NOTIFIERS)
def build(context: PluginContext) -> NotifySend | Osascript:
    """The desktop of this machine."""
    return Osascript(context.name) if sys.platform == "darwin" else NotifySend(context.name)
