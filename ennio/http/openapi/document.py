"""The whole OpenAPI document."""

from __future__ import annotations

from functools import cache
from typing import Any

from ennio import __version__
from ennio.http.openapi.forge import FORGE_PATHS
from ennio.http.openapi.house import HOUSE_PATHS
from ennio.http.openapi.operation import ref
from ennio.http.openapi.schemas import SCHEMAS
from ennio.http.openapi.sessions import SESSION_PATHS


@cache
def document() -> dict[str, Any]:
    """The document; not to be changed by who gets it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ennio",
            "version": __version__,
            "description": "Conducts many AI coding agents at once, from first prompt to merged pull request.",
        },
        "security": [{"token": []}],
        "paths": SESSION_PATHS | FORGE_PATHS | HOUSE_PATHS,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Error": {
                    "description": "What happened and what to do about it.",
                    "content": {"application/json": {"schema": ref("Error")}},
                }
            },
            "schemas": SCHEMAS,
        },
    }
