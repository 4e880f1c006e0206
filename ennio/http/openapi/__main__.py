"""Prints the OpenAPI document: ``python -m ennio.http.openapi``, for those who make clients."""

from __future__ import annotations

import json
import sys

from ennio.http.openapi.document import document

if __name__ == "__main__":
    json.dump(document(), sys.stdout)
