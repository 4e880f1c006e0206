"""What GitHub publishes about itself: OpenAPI, the GraphQL schema, recorded webhooks.
``bin/test`` fetches them.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema

from tests.conftest import lacking

CACHE = Path(__file__).parents[2] / ".ci-cache" / "npm"


def _file(package: str, path: str) -> Path:
    found = sorted(CACHE.glob(f"octokit-{package}-*/{path}"))
    if not found:
        lacking(
            f"no {path} of @octokit/{package} under {CACHE}: run bin/test, which fetches it; what "
            "needs it was NOT tested"
        )
    return found[-1]


@functools.cache
def openapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        _file("openapi", "generated/api.github.com.json").read_bytes()
    )
    return document


@functools.cache
def graphql_schema() -> GraphQLSchema:
    return build_schema(
        _file("graphql-schema", "schema.graphql").read_text(encoding="utf-8"), assume_valid=True
    )


@functools.cache
def webhooks() -> dict[str, list[dict[str, Any]]]:
    recorded = json.loads(_file("webhooks-examples", "api.github.com/index.json").read_bytes())
    return {entry["name"]: entry["examples"] for entry in recorded}
