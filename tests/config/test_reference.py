"""The reference pages are what the code says, and the schemas are what the model says."""

from __future__ import annotations

import dataclasses
import re

import pytest

from ennio.config.fields import MappingSchema
from ennio.config.schema import SCHEMAS
from tests.pages.book import DOCS, as_made, made_pages
from tests.pages.configuration import page

OURS_ALONE = {
    "Config": {
        "source",
        "directory",
        "hidden",
        "demands",
        "budget_lines",
        "origins",
        "port_chosen",
    },
    "Project": {"config_hash"},
}


@pytest.mark.parametrize("name", made_pages())
def test_a_page_that_is_made_is_up_to_date(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == as_made(name), "run: python -m tests.pages"


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.makes.__name__)
def test_every_field_of_the_model_can_be_set(schema: type[MappingSchema]) -> None:
    fields = {field.name for field in dataclasses.fields(schema.makes)}
    assert {name for _, name, _ in schema.entries()} == fields - OURS_ALONE.get(
        schema.makes.__name__, set()
    )


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.makes.__name__)
def test_what_the_model_cannot_do_without_is_required(schema: type[MappingSchema]) -> None:
    missing = (dataclasses.MISSING, dataclasses.MISSING)
    needed = {
        field.name
        for field in dataclasses.fields(schema.makes)
        if (field.default, field.default_factory) == missing
    }
    derived = (
        {"id", "source", "directory"} if schema.makes.__name__ in ("Project", "Config") else set()
    )
    assert {name for _, name, entry in schema.entries() if entry.required} == needed - derived


def test_every_link_leads_to_a_heading() -> None:
    headings = re.findall(r"^###? (.*)$", page(), re.MULTILINE)
    anchors = [
        re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings
    ]
    assert len(set(anchors)) == len(anchors)
    for link in re.findall(r"\]\(#([^)]*)\)", page()):
        assert link in anchors
