"""The keys under ``ssh_config``, beside those that ``schema.py`` declares."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from ennio.config import model
from ennio.config.fields import Json, MappingSchema, NestedField
from ennio.config.number_fields import MANY, BoolField, DurationField, IntField, SizeField
from ennio.config.text_fields import EnumField, PathField, StringField, TokenField


def _when(kind: str, needs: list[str], excludes: list[str]) -> Json:
    """The JSON Schema rule of one type of login."""
    needed = {key: {"not": {"type": "null"}} for key in needs}
    then = {"required": needs, "properties": needed | {key: {"type": "null"} for key in excludes}}
    return {"if": {"properties": {"type": {"const": kind}}}, "then": then}


class SshAuthSchema(MappingSchema):
    """``ssh_config.auth``: the keys that fit depend on ``type``."""

    makes = model.SshAuth
    type = EnumField("How to log in", model.AuthType, required=True)
    path = PathField("The private key (type key)", none=True)
    passphrase = StringField("The key's passphrase (type key)", none=True)
    password = StringField("The password (type password)", none=True)
    rules: ClassVar[Json] = {
        "allOf": [
            _when("key", needs=["path"], excludes=["password"]),
            _when("password", needs=["password"], excludes=["path", "passphrase"]),
            _when("agent", needs=[], excludes=["path", "passphrase", "password"]),
        ]
    }

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        kind = data["type"]
        wanted = {model.AuthType.KEY: "path", model.AuthType.PASSWORD: "password"}.get(kind)
        allowed = {"type", wanted, "passphrase" if kind is model.AuthType.KEY else "type"}
        given = [key for key, value in data.items() if value is not None]
        errors = {key: [f"does not go with `type: {kind}`"] for key in given if key not in allowed}
        if wanted and data.get(wanted) is None:
            errors[wanted] = [f"is missing: `type: {kind}` needs it"]
        if errors:
            raise ValidationError(errors)


class NodeConfigSchema(MappingSchema):
    """``ssh_config.node_config``; its paths are the remote machine's."""

    makes = model.NodeConfig
    enabled = BoolField("Whether the node daemon is used")
    port = IntField("The port it listens on, on the remote machine", 1, 65535)
    idle_timeout = DurationField("How long without work before it ends by itself")
    workspace_root = PathField("The folder its workspaces lie in", none=True)
    ennio_binary_path = PathField("Where ennio-node is installed", none=True)
    auth_token = TokenField("The token it asks for", none=True)


class SshConfigSchema(MappingSchema):
    """``ssh_config``: present, the project runs remotely."""

    makes = model.SshConfig
    host = StringField("The remote machine", required=True)
    port = IntField("Its SSH port", 1, 65535)
    username = StringField("Who to log in as", required=True)
    auth = NestedField("How to log in", SshAuthSchema, required=True)
    strategy = EnumField("How the agent is driven there", model.SshStrategy)
    connection_timeout = DurationField("How long a connection may take", least=0.1)
    keepalive_interval = DurationField(
        "How often to say that the connection is still wanted", least=1, none=True
    )
    host_key_policy = EnumField("Which host keys are believed", model.HostKeyPolicy)
    known_hosts_path = PathField("The known_hosts file", none=True)
    node_config = NestedField("The node daemon", NodeConfigSchema)
    max_sessions = IntField(
        "How many sessions may run there at once, of all projects on this host", 0, MANY, none=True
    )
    min_free_memory = SizeField(
        "No session starts there with less free memory than this",
        none=True,
        shown="`min_free_memory`",
    )
