"""``python -m ennio.plugins.reference`` prints docs/configuration.md: every key of the file, and
every setting of the shipped plugins.
"""

from __future__ import annotations

from ennio.config.reference import reference
from ennio.plugins.declared import all_shipped


def page() -> str:
    """The whole page, in Markdown."""
    return reference(all_shipped())


if __name__ == "__main__":
    print(page(), end="")
