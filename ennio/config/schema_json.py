"""The JSON Schema of ``ennio.yaml``, for editors; made from the same shapes that read the file."""

from __future__ import annotations

from ennio.config.schema import SHAPES
from ennio.config.shapes import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Json:
    """The schema as a document of its own (draft 2020-12).

    It knows shapes, not whether the parts fit together: ``ennio config check`` says that.
    """
    definitions = {shape.makes.__name__: shape.json_schema() for shape in SHAPES}
    root = definitions.pop("Config")
    return {"$schema": DIALECT, "title": "ennio.yaml", **root, "$defs": definitions}
