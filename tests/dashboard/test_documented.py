"""The keys of the page are documented as the page has them."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_key_of_the_map_stands_in_the_documentation_with_the_same_words() -> None:
    bindings = json.loads((ROOT / "dashboard" / "src" / "lib" / "keymap.json").read_text("utf-8"))
    documented = (ROOT / "docs" / "dashboard.md").read_text("utf-8").splitlines()
    rows = {line.split(" | ")[-1].removesuffix(" |"): line for line in documented if " | " in line}
    for binding in bindings:
        row = rows[binding["says"]]
        assert all(f"`{key}`" in row for key in binding["keys"]), row
