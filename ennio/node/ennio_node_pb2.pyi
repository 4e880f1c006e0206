from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateWorkspaceRequest(_message.Message):
    __slots__ = ("project_id", "repo_url", "path", "session_id", "default_branch", "branch", "workspace_type")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    REPO_URL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_BRANCH_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_TYPE_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    repo_url: str
    path: str
    session_id: str
    default_branch: str
    branch: str
    workspace_type: str
    def __init__(self, project_id: _Optional[str] = ..., repo_url: _Optional[str] = ..., path: _Optional[str] = ..., session_id: _Optional[str] = ..., default_branch: _Optional[str] = ..., branch: _Optional[str] = ..., workspace_type: _Optional[str] = ...) -> None: ...

class CreateWorkspaceResponse(_message.Message):
    __slots__ = ("workspace_path",)
    WORKSPACE_PATH_FIELD_NUMBER: _ClassVar[int]
    workspace_path: str
    def __init__(self, workspace_path: _Optional[str] = ...) -> None: ...

class DestroyWorkspaceRequest(_message.Message):
    __slots__ = ("workspace_path",)
    WORKSPACE_PATH_FIELD_NUMBER: _ClassVar[int]
    workspace_path: str
    def __init__(self, workspace_path: _Optional[str] = ...) -> None: ...

class DestroyWorkspaceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateRuntimeRequest(_message.Message):
    __slots__ = ("session_id", "launch_command", "env", "cwd", "session_name")
    class EnvEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LAUNCH_COMMAND_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    CWD_FIELD_NUMBER: _ClassVar[int]
    SESSION_NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    launch_command: str
    env: _containers.ScalarMap[str, str]
    cwd: str
    session_name: str
    def __init__(self, session_id: _Optional[str] = ..., launch_command: _Optional[str] = ..., env: _Optional[_Mapping[str, str]] = ..., cwd: _Optional[str] = ..., session_name: _Optional[str] = ...) -> None: ...

class CreateRuntimeResponse(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: ProtoRuntimeHandle
    def __init__(self, handle: _Optional[_Union[ProtoRuntimeHandle, _Mapping]] = ...) -> None: ...

class DestroyRuntimeRequest(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: ProtoRuntimeHandle
    def __init__(self, handle: _Optional[_Union[ProtoRuntimeHandle, _Mapping]] = ...) -> None: ...

class DestroyRuntimeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProtoRuntimeHandle(_message.Message):
    __slots__ = ("id", "runtime_name", "data")
    class DataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    id: str
    runtime_name: str
    data: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., runtime_name: _Optional[str] = ..., data: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SendMessageRequest(_message.Message):
    __slots__ = ("handle", "message")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    handle: ProtoRuntimeHandle
    message: str
    def __init__(self, handle: _Optional[_Union[ProtoRuntimeHandle, _Mapping]] = ..., message: _Optional[str] = ...) -> None: ...

class SendMessageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetOutputRequest(_message.Message):
    __slots__ = ("handle", "lines")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    handle: ProtoRuntimeHandle
    lines: int
    def __init__(self, handle: _Optional[_Union[ProtoRuntimeHandle, _Mapping]] = ..., lines: _Optional[int] = ...) -> None: ...

class GetOutputResponse(_message.Message):
    __slots__ = ("output",)
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    output: str
    def __init__(self, output: _Optional[str] = ...) -> None: ...

class IsAliveRequest(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: ProtoRuntimeHandle
    def __init__(self, handle: _Optional[_Union[ProtoRuntimeHandle, _Mapping]] = ...) -> None: ...

class IsAliveResponse(_message.Message):
    __slots__ = ("alive",)
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    alive: bool
    def __init__(self, alive: _Optional[bool] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HeartbeatResponse(_message.Message):
    __slots__ = ("healthy", "uptime_secs")
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECS_FIELD_NUMBER: _ClassVar[int]
    healthy: bool
    uptime_secs: int
    def __init__(self, healthy: _Optional[bool] = ..., uptime_secs: _Optional[int] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ("graceful",)
    GRACEFUL_FIELD_NUMBER: _ClassVar[int]
    graceful: bool
    def __init__(self, graceful: _Optional[bool] = ...) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = ("accepted",)
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    def __init__(self, accepted: _Optional[bool] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("version", "interface", "pid", "uptime_secs", "root", "sessions", "sessions_known", "free_memory_bytes", "free_disk_bytes", "idle_timeout_secs", "instance")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECS_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    FREE_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_SECS_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    version: str
    interface: str
    pid: int
    uptime_secs: int
    root: str
    sessions: int
    sessions_known: bool
    free_memory_bytes: int
    free_disk_bytes: int
    idle_timeout_secs: int
    instance: str
    def __init__(self, version: _Optional[str] = ..., interface: _Optional[str] = ..., pid: _Optional[int] = ..., uptime_secs: _Optional[int] = ..., root: _Optional[str] = ..., sessions: _Optional[int] = ..., sessions_known: _Optional[bool] = ..., free_memory_bytes: _Optional[int] = ..., free_disk_bytes: _Optional[int] = ..., idle_timeout_secs: _Optional[int] = ..., instance: _Optional[str] = ...) -> None: ...

class HostRequest(_message.Message):
    __slots__ = ("interface", "call")
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    interface: str
    call: bytes
    def __init__(self, interface: _Optional[str] = ..., call: _Optional[bytes] = ...) -> None: ...

class HostResponse(_message.Message):
    __slots__ = ("answer",)
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    answer: bytes
    def __init__(self, answer: _Optional[bytes] = ...) -> None: ...
