"""Cuts what our questions touch out of Linear's published schema.

``python -m tests.linear.extract FULL.graphql > /tmp/schema.graphql``, then put that
in place of the one here.

What is left has every field and argument we use and every one that is required, with its
published type; so a question that is valid by the extract is valid by the whole, and one
that asks for more is not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_input_object_type,
    is_required_input_field,
    is_specified_scalar_type,
    parse,
    print_type,
    visit,
)
from graphql.type import GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType

from ennio.plugins.tracker.linear import queries

HEADER = """\
# An extract of Linear's published GraphQL schema: only what the questions in ennio/plugins/tracker/linear use.
# Origin: https://github.com/linear/linear, packages/sdk/src/schema.graphql, commit 8335e09a17dd8aa351dace3d05a94a55e78dad2a.
# MIT License, Copyright (c) 2019 Linear. Permission is hereby granted, free of charge, to any person obtaining a copy of this
# software and associated documentation files (the "Software"), to deal in the Software without restriction, including without
# limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
# permit persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and
# this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS",
# WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A
# PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
# LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR
# OTHER DEALINGS IN THE SOFTWARE.
# Made by tests/linear/extract.py.
"""
IN_VARIABLES: dict[str, set[str]] = {
    "IssueFilter": {"state", "team"},
    "WorkflowStateFilter": {"type"},
    "TeamFilter": {"key"},
    "StringComparator": {"eq", "nin"},
    "CommentCreateInput": {"id", "issueId", "body"},
    "AttachmentCreateInput": {"issueId", "url", "title", "subtitle"},
}
"""Fields of inputs that are given as variables, where the text of a question does not show them."""

Used = dict[str, set[str]]


class _Reader(Visitor):
    def __init__(self, info: TypeInfo, used: Used, arguments: Used) -> None:
        super().__init__()
        self._info, self._used, self._arguments = info, used, arguments

    def enter_field(self, node: Any, *_: Any) -> None:
        parent = self._info.get_parent_type()
        assert parent is not None, f"{node.name.value} hangs on nothing"
        assert self._info.get_field_def() is not None, (
            f"the published schema has no {parent.name}.{node.name.value}"
        )
        self._used.setdefault(parent.name, set()).add(node.name.value)
        named = self._arguments.setdefault(f"{parent.name}.{node.name.value}", set())
        named.update(argument.name.value for argument in node.arguments or ())

    def enter_object_field(self, node: Any, *_: Any) -> None:
        parent = get_named_type(self._info.get_parent_input_type())
        assert parent is not None
        self._used.setdefault(parent.name, set()).add(node.name.value)


def used_by_questions(schema: GraphQLSchema) -> tuple[Used, Used]:
    """The fields of each type, and the arguments of each field, that our questions name."""
    used: Used = {name: set(fields) for name, fields in IN_VARIABLES.items()}
    arguments: Used = {}
    for text in queries.ALL:
        info = TypeInfo(schema)
        visit(parse(text), TypeInfoVisitor(info, _Reader(info, used, arguments)))
    return used, arguments


def extract(full: str) -> str:
    """The extract's text. Fails when the published schema lacks something we use."""
    schema = build_schema(full, assume_valid=True)
    used, arguments = used_by_questions(schema)
    kept: dict[str, GraphQLNamedType] = {}
    waiting = ["Query", "Mutation"]
    while waiting:
        name = waiting.pop()
        found = schema.type_map[name]
        if name in kept or is_specified_scalar_type(found):
            continue
        kept[name] = found
        waiting += [other.name for other in _cut(found, used.get(name, set()), arguments)]
    return HEADER + "\n" + "\n\n".join(_printed(kept[name]) for name in sorted(kept)) + "\n"


def _cut(found: GraphQLNamedType, used: set[str], arguments: Used) -> list[GraphQLNamedType]:
    """Leave in a type only what is used or required; returns the types that leads to."""
    if isinstance(found, GraphQLObjectType):
        found.interfaces = ()
        found.fields = {name: field for name, field in found.fields.items() if name in used}
        for name, field in found.fields.items():
            named = arguments.get(f"{found.name}.{name}", set())
            field.args = {
                key: value
                for key, value in field.args.items()
                if key in named or str(value.type).endswith("!")
            }
        types = [field.type for field in found.fields.values()]
        return [
            get_named_type(one)
            for one in [
                *types,
                *(arg.type for field in found.fields.values() for arg in field.args.values()),
            ]
        ]
    if is_input_object_type(found):
        assert isinstance(found, GraphQLInputObjectType)
        found.fields = {
            name: field
            for name, field in found.fields.items()
            if name in used or is_required_input_field(field)
        }
        return [get_named_type(field.type) for field in found.fields.values()]
    return []


def _printed(found: GraphQLNamedType) -> str:
    found.description = None
    for field in getattr(found, "fields", {}).values():
        field.description = None
        for argument in getattr(field, "args", {}).values():
            argument.description = None
    return print_type(found)


if __name__ == "__main__":
    print(extract(Path(sys.argv[1]).read_text(encoding="utf-8")), end="")
