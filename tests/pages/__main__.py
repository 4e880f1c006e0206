"""``python -m tests.pages`` writes what is made of the documentation, and says what changed."""

from __future__ import annotations

from tests.pages.book import DOCS, as_made, made_pages

for name in made_pages():
    before = (DOCS / name).read_text(encoding="utf-8")
    after = as_made(name)
    if after != before:
        (DOCS / name).write_text(after, encoding="utf-8")
        print(f"docs/{name}")
