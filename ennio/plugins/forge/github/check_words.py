"""The words of a failing check, cut to what matters: its annotations, the end of its log. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ennio.model.plural import number_of
from ennio.model.printable import settled
from ennio.plugins.forge.github.parsing import Node

LINES = 60


LENGTH = 8 * 1024


_ANNOTATIONS = 20


_STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?")


_AFTERMATH = re.compile(r"^(Post job cleanup\.|##\[group\]Post |Cleaning up orphan processes)")


def annotated(run: Node | None) -> str:
    """The annotations of a check run with their places, after its own title and summary."""
    if run is None:
        return ""
    found = run["annotations"] or {"totalCount": 0, "nodes": ()}
    lines = [line for line in (run["title"], run["summary"]) if line and line.strip()]
    lines += [_annotation(item) for item in found["nodes"][:_ANNOTATIONS]]
    if found["totalCount"] > _ANNOTATIONS:
        lines.append(f"(and {number_of(found['totalCount'] - _ANNOTATIONS, 'more annotation')})")
    return plain("\n".join(lines))[:LENGTH]


def _annotation(item: Mapping[str, Any]) -> str:
    level = (item["annotationLevel"] or "note").lower()
    return f"{item['path']}:{item['location']['start']['line']}: {level}: {item['message'].strip()}"


def cut(text: str) -> str:
    """The end of an Actions log that matters: up to the step that failed, without times,
    clean-up and escape codes.
    """
    lines = [_STAMP.sub("", line) for line in plain(text).split("\n")]
    errors = [index for index, line in enumerate(lines) if line.startswith("##[error]")]
    if errors:
        lines = lines[: errors[-1] + 1]
    else:
        end = next(
            (index for index, line in enumerate(lines) if _AFTERMATH.match(line)), len(lines)
        )
        lines = lines[:end]
    tail = "\n".join("\n".join(lines).rstrip().split("\n")[-LINES:])
    return tail if len(tail) <= LENGTH else tail[-LENGTH:].partition("\n")[2] or tail[-LENGTH:]


def plain(text: str) -> str:
    """A text without escape codes; a line that was overwritten is shown as it was last."""
    return settled(text)
