"""The JSON Schema of ``ennio.yaml``, for editors; made from the same schemas that read the file."""

from __future__ import annotations

from ennio.config.fields import Json
from ennio.config.schema import SCHEMAS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Json:
    """The schema as a document of its own (draft 2020-12).

    It knows each part by itself, not whether the parts fit together: ``ennio config check`` says that.
    """
    definitions = {schema.makes.__name__: schema.json_schema() for schema in SCHEMAS}
    root = definitions.pop("Config")
    return {"$schema": DIALECT, "title": "ennio.yaml", **root, "$defs": definitions}
