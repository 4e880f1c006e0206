"""The reference page is what the schemas say, and the schemas are what the model says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from ennio.config.fields import MappingSchema
from ennio.config.schema import SCHEMAS
from tests.pages.configuration import page

PAGE = Path(__file__, "../../../docs/configuration.md").resolve()
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


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.pages"


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
