"""Arguments that each mean something, and nothing together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ennio.model.errors import Invalid


def refuse_beside(option: str, others: Mapping[str, object]) -> None:
    """Raise Invalid where one of ``others``, named as it is typed, was given beside an option that
    has no use for it: to leave it out of account would answer what nobody asked.
    """
    for name, given in others.items():
        if given:
            raise Invalid(f"{name} does not go with {option}: leave one of them out")


def refuse_other_project(session: Mapping[str, Any], wanted: str) -> None:
    """Raise Invalid for a session that is none of the project named beside it."""
    if session["project_id"] != wanted:
        raise Invalid(
            f"--project: session {session['id']} is one of project {session['project_id']}, not of "
            f"{wanted}: leave one of the two out"
        )
