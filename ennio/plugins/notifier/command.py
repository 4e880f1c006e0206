"""Any program: it is given the notice as JSON on standard input, and a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from ennio.config.fields import MapField, SettingsSchema
from ennio.config.number_fields import BoolField, DurationField
from ennio.config.text_fields import VariableField, VariableNameField, WordsField
from ennio.machine.inherited import inherited
from ennio.model.errors import Refused, Unreachable
from ennio.model.printable import MASK, SHORTEST_SECRET
from ennio.plugins.declared import OF_NOTIFIERS, takes
from ennio.plugins.notifier.child import run_child
from ennio.plugins.notifier.interface import Notification
from ennio.plugins.notifier.webhook import RESOLVED
from ennio.plugins.notifier.wording import document, encoded
from ennio.plugins.registry import PluginContext


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """The program with its arguments, what it gets beside what all programs inherit, its time."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    resolved: bool = False
    timeout: float = 10.0


class ArgumentsField(WordsField):
    """A program and its arguments, at least one."""

    def read(self, value: Any) -> tuple[str, ...]:
        """The words."""
        found = super().read(value)
        if not found:
            raise ValidationError("is empty: name the program")
        return found


class ProgramSchema(SettingsSchema):
    """``config`` of ``plugin: command``."""

    makes = ProgramSettings
    argv = ArgumentsField("The program and its arguments; no shell reads them", required=True)
    env = MapField("Variables for it", VariableField("A value"), names=VariableNameField("A name"))
    resolved = BoolField("Whether it is run too when the cause of a notice is gone")
    timeout = DurationField("How long it may take; then it is ended", least=0.1)


class ProgramNotifier:
    """One program; in a folder of the configuration, with none of the supervisor's secrets."""

    def __init__(self, name: str, settings: ProgramSettings, directory: Path) -> None:
        self.name = name
        self._settings = settings
        self._directory = directory

    def notify(self, notification: Notification) -> None:
        """See ``Notifier.notify``; exit code 0 is told, any other asks to try again."""
        self._run(document(notification))

    def withdraw(self, notification: Notification, _receipt: str | None) -> None:
        """Tell that its cause is gone, to a program that wants to know."""
        if self._settings.resolved:
            self._run(document(notification) | {"event_type": RESOLVED})

    def probe(self) -> str:
        """Whether the program is there; it is not run."""
        program = self._settings.argv[0]
        path = self._env()["PATH"]
        place = self._directory / program if "/" in program else program
        if shutil.which(place, path=path) is None:
            raise Refused(f"{program} is no program that is found: install it, or name its path")
        return f"{program} is there; what it does only a test of it shows"

    def _run(self, told: Mapping[str, Any]) -> None:
        settings = self._settings
        done = run_child(
            settings.argv, encoded(told), self._env(), settings.timeout, self._directory
        )
        if done.code:
            said = f": {self._masked(done.last_line)}" if done.last_line else ""
            raise Unreachable(f"{settings.argv[0]} ended with {done.code}{said}")

    def _env(self) -> dict[str, str]:
        return {"PATH": os.defpath, **inherited(os.environ), **self._settings.env}

    def _masked(self, text: str) -> str:
        """What it said, without the values it was given."""
        values = (*self._settings.env.values(), *self._settings.argv[1:])
        for value in sorted(values, key=len, reverse=True):
            if len(value) >= SHORTEST_SECRET:
                text = text.replace(value, MASK)
        return text


@takes(ProgramSchema, OF_NOTIFIERS)
def build(context: PluginContext) -> ProgramNotifier:
    """A channel to the program of the settings. Runs nothing yet."""
    return ProgramNotifier(context.name, context.settings, context.directory or Path.cwd())
