"""What a project may set under ``scm_config.config`` for the local forge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, validates_schema

from ennio.config.fields import Json, ListField, NestedField, SettingsSchema
from ennio.config.number_fields import BoolField, DurationField, IntField
from ennio.config.plugin_settings import read
from ennio.config.text_fields import EnumField, StringField
from ennio.model.pulls import MergeMethod

CHECK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\Z")
MOST_SLOTS = 64
_NAME_RULE = (
    "write up to 64 letters, digits, blanks, dots, dashes and underscores, a letter or digit first"
)


@dataclass(frozen=True, slots=True)
class CheckCommand:
    """One check: a shell command run on a clean check-out of a head; exit code 0 passes."""

    name: str
    run: str
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class LocalForgeSettings:
    """How the local forge behaves for one project.

    ``check_slots`` is how many checks run at once. ``draft`` is for pull requests it opens by
    itself. ``delete_branch``: a merged branch goes. ``dismiss_stale``: an approval of an
    earlier head counts no longer. ``hub``: where the repository lies on this machine, for a
    project whose ``repo`` says how it is reached from another one.
    """

    checks: tuple[CheckCommand, ...] = ()
    merge_method: MergeMethod = MergeMethod.SQUASH
    review_required: bool = False
    auto_open: bool = True
    draft: bool = False
    check_slots: int = 2
    delete_branch: bool = True
    dismiss_stale: bool = True
    hub: str | None = None

    def judged(self, head: str) -> str | None:
        """The head an approval has to be of; None: of any."""
        return head if self.dismiss_stale else None


class CheckNameField(StringField):
    """The name of a check: it becomes the name of a file."""

    def judged(self, text: str) -> str:
        """The name when it is one."""
        if not CHECK_NAME.match(text):
            raise ValidationError(f"{{value}} is no name for a check: {_NAME_RULE}")
        return text

    def json(self) -> Json:
        """The pattern of names, or a variable."""
        return {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$|\$\{"}


class HubField(StringField):
    """A folder of this machine."""

    kind = "absolute path"

    def judged(self, text: str) -> str:
        """The path when it begins at the root."""
        if not text.startswith("/"):
            raise ValidationError("{value} is relative: write the whole path, beginning with /")
        return text


class CheckSchema(SettingsSchema):
    """One of ``checks`` of the local forge."""

    makes = CheckCommand
    name = CheckNameField("Its name; letter case does not count", required=_NAME_RULE)
    run = StringField(
        "The shell command that decides, on a clean check-out of the head; 0 passes",
        lines=True,
        required="write the shell command that decides, such as make test",
    )
    timeout = DurationField("How long it may take", least=0.001)


class LocalForgeSchema(SettingsSchema):
    """``scm_config.config`` of ``plugin: local``."""

    makes = LocalForgeSettings
    checks = ListField("What is run on each head", NestedField("A check", CheckSchema))
    merge_method = EnumField("How pull requests are merged", MergeMethod)
    review_required = BoolField("Whether a pull request needs an approval")
    auto_open = BoolField("Whether a branch that was pushed gets a pull request by itself")
    draft = BoolField("Whether those are drafts")
    check_slots = IntField("How many checks run at once", 1, MOST_SLOTS)
    delete_branch = BoolField("Whether a merged branch is deleted")
    dismiss_stale = BoolField("Whether an approval of an earlier head counts no longer")

    hub = HubField(
        "Where the repository lies on this machine, when `repo` is how agents on another machine "
        "reach it",
        none=True,
    )

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _fits(self, _data: object, given: Any, **_: Any) -> None:
        """No name twice, also where something else is wrong with the checks."""
        checks = given.get("checks") if isinstance(given, Mapping) else None
        seen: set[str] = set()
        errors: dict[int, Any] = {}
        for index, check in enumerate(checks if isinstance(checks, (list, tuple)) else ()):
            name = check.get("name") if isinstance(check, Mapping) else None
            if isinstance(name, str) and name.lower() in seen:
                errors[index] = {
                    "name": ["{value} is the name of a check already (letter case does not count)"]
                }
            seen.add(str(name).lower())
        if errors:
            raise ValidationError({"checks": errors})


def parse(config: Mapping[str, Any]) -> LocalForgeSettings:
    """Read the settings. Raises ConfigError with every problem at once."""
    settings: LocalForgeSettings = read(LocalForgeSchema, config, "scm_config.config")
    return settings
