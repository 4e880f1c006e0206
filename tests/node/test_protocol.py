"""The protocol of the node is the documented one: a client made from the
documentation understands ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

from tests.node.generate import MADE, generate

PROTO = Path(__file__).parents[2] / "proto" / "ennio_node.proto"

CALLS = (
    "CreateWorkspace",
    "DestroyWorkspace",
    "CreateRuntime",
    "DestroyRuntime",
    "SendMessage",
    "GetOutput",
    "IsAlive",
    "Heartbeat",
    "Shutdown",
)
HANDLE = "ProtoRuntimeHandle"
MAP = "map<string, string>"
MESSAGES = {
    "CreateWorkspaceRequest": {
        "project_id": (1, "string"),
        "repo_url": (2, "string"),
        "path": (3, "string"),
        "session_id": (4, "string"),
        "default_branch": (5, "string"),
        "branch": (6, "optional string"),
        "workspace_type": (7, "string"),
    },
    "CreateWorkspaceResponse": {"workspace_path": (1, "string")},
    "DestroyWorkspaceRequest": {"workspace_path": (1, "string")},
    "DestroyWorkspaceResponse": {},
    "CreateRuntimeRequest": {
        "session_id": (1, "string"),
        "launch_command": (2, "string"),
        "env": (3, MAP),
        "cwd": (4, "string"),
        "session_name": (5, "string"),
    },
    "CreateRuntimeResponse": {"handle": (1, HANDLE)},
    "DestroyRuntimeRequest": {"handle": (1, HANDLE)},
    "DestroyRuntimeResponse": {},
    HANDLE: {"id": (1, "string"), "runtime_name": (2, "string"), "data": (3, MAP)},
    "SendMessageRequest": {"handle": (1, HANDLE), "message": (2, "string")},
    "SendMessageResponse": {},
    "GetOutputRequest": {"handle": (1, HANDLE), "lines": (2, "uint32")},
    "GetOutputResponse": {"output": (1, "string")},
    "IsAliveRequest": {"handle": (1, HANDLE)},
    "IsAliveResponse": {"alive": (1, "bool")},
    "HeartbeatRequest": {},
    "HeartbeatResponse": {"healthy": (1, "bool"), "uptime_secs": (2, "uint64")},
    "ShutdownRequest": {"graceful": (1, "bool")},
    "ShutdownResponse": {"accepted": (1, "bool")},
}
"""Name, number and type of every documented field."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorProto:
    """The file as the compiler of gRPC understands it."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from grpc_tools import protoc

    found = tmp_path_factory.mktemp("proto") / "descriptors"
    command = ["protoc", f"-I{PROTO.parent}", f"--descriptor_set_out={found}", str(PROTO)]
    assert protoc.main(command) == 0
    return FileDescriptorSet.FromString(found.read_bytes()).file[0]


def test_the_nine_calls_have_their_documented_names_and_messages(
    compiled: FileDescriptorProto,
) -> None:
    service = compiled.service[0]
    assert (compiled.package, service.name) == ("ennio_node", "EnnioNode")
    assert [call.name for call in service.method[: len(CALLS)]] == list(CALLS)
    for call in service.method[: len(CALLS)]:
        wanted = (f".ennio_node.{call.name}Request", f".ennio_node.{call.name}Response")
        assert (call.input_type, call.output_type) == wanted
        assert not call.client_streaming
        assert not call.server_streaming


@pytest.mark.parametrize("name", MESSAGES)
def test_every_documented_field_has_its_number_and_type(
    compiled: FileDescriptorProto, name: str
) -> None:
    message = next(message for message in compiled.message_type if message.name == name)
    maps = {entry.name for entry in message.nested_type if entry.options.map_entry}
    found = {}
    for field in message.field:
        kind = field.type_name.rpartition(".")[2]
        if not kind:
            kind = field.Type.Name(field.type).removeprefix("TYPE_").lower()
        kind = MAP if kind in maps else f"optional {kind}" if field.proto3_optional else kind
        found[field.name] = (field.number, kind)
    documented = MESSAGES[name]
    assert {key: value for key, value in found.items() if key in documented} == documented
    added = [number for key, (number, _) in found.items() if key not in documented]
    assert all(number > len(documented) for number in added), "a new field stands behind them"


def test_a_branch_left_out_is_not_an_empty_one(compiled: FileDescriptorProto) -> None:
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    pool.Add(compiled)
    described = pool.FindMessageTypeByName("ennio_node.CreateWorkspaceRequest")
    request = message_factory.GetMessageClass(described)
    assert not request.FromString(request().SerializeToString()).HasField("branch")
    assert request.FromString(request(branch="").SerializeToString()).HasField("branch")


def test_the_committed_messages_are_those_of_the_protocol(tmp_path: Path) -> None:
    generate(tmp_path)
    for name in MADE:
        made = (tmp_path / "ennio" / "node" / name).read_text(encoding="utf-8")
        committed = (PROTO.parents[1] / "ennio" / "node" / name).read_text(encoding="utf-8")
        assert made == committed, "run: python -m tests.node.generate"
