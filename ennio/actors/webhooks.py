"""Takes in what a forge sends: believed only with a signature, taken once, and
never more than "look again".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import LookNow
from ennio.actors.registry import forge_name
from ennio.config.model import Project
from ennio.machine.untrusted import json_value
from ennio.model.errors import Invalid, Unauthorized
from ennio.plugins.github.settings import found_address
from ennio.plugins.github.webhook import WebhookEvent, happenings, is_signed

log = logging.getLogger(__name__)
_KEY = "webhooks.github"
_REMEMBERED = 500


def received(
    deps: Dependencies, event: str, delivery: str, signature: str | None, raw: bytes
) -> str:
    """Look again at what a delivery of GitHub's is about; says what was done.

    Raises Unauthorized unless a project's ``webhook_secret`` made the signature, Invalid
    for what is no JSON object.
    """
    trusting = [project for project, secret in _secrets(deps) if is_signed(raw, signature, secret)]
    if not trusting:
        raise Unauthorized(
            "the signature fits no project's webhook_secret; set the same secret on GitHub and in "
            "scm_config.config"
        )
    if delivery in _known(deps):
        return "known already"
    told = [
        _tell(deps, project, happening)
        for happening in happenings(event, _object(raw))
        for project in trusting
    ]
    # written down last: a delivery that was cut off is taken again
    with deps.store.transaction():  # read again: others may have been taken meanwhile
        deps.store.meta.set(_KEY, json.dumps([*_known(deps), delivery][-_REMEMBERED:]))
    log.info("took a webhook", extra={"event": event, "delivery": delivery, "told": sum(told)})
    return "looking" if any(told) else "nothing to do"


def _secrets(deps: Dependencies) -> Iterator[tuple[Project, str]]:
    for project in deps.config.projects:
        if (
            project.forge is not None
            and project.forge.plugin == "github"
            and isinstance(project.forge.config.get("webhook_secret"), str)
        ):
            yield project, project.forge.config["webhook_secret"]


def _tell(deps: Dependencies, project: Project, happening: WebhookEvent) -> bool:
    address = found_address(project, project.forge.config if project.forge is not None else {})
    forge = deps.plugins.forge(project)
    if forge is None or str(address).lower() != happening.repository.lower():
        return False
    forge.nudge(happening.number, happening.ref)
    return deps.actors.tell(forge_name(project.id), LookNow())


def _known(deps: Dependencies) -> list[str]:
    return list(json.loads(deps.store.meta.get(_KEY) or "[]"))


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        document = json_value(raw)
    except ValueError:
        raise Invalid(
            "the body is no JSON; choose the content type application/json on GitHub"
        ) from None
    if not isinstance(document, dict):
        raise Invalid("the body must be a JSON object: {...}")
    return document
