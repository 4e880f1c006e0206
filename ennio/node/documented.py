"""The nine documented calls, done by a host: for a client that knows nothing but their text.

A workspace is that of a session with nothing but a working copy; a runtime that of one whose agent
is the command it was given. What was asked for stands in a file before it is made, so that the next
daemon knows it too.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief, HookAddress
from ennio.hosts.interface import Host
from ennio.hosts.session_files import SessionFiles
from ennio.hosts.session_locks import SessionLocks
from ennio.machine.local import LocalMachine
from ennio.model import codec
from ennio.model.branch import wrong_with
from ennio.model.errors import Conflict, Invalid, Refused, Unreachable
from ennio.model.facts import Presence
from ennio.model.request_fields import identifier
from ennio.model.session import RuntimeHandle
from ennio.node import ennio_node_pb2 as messages
from ennio.node.sessions import RUNTIMES
from ennio.node.workspace_root import KINDS, WorkspaceRoot, identity

RUNTIME = "tmux"
_COMMAND = "ENNIO_NODE_COMMAND"
_RUNS = AgentConfig(passthrough={"run": f'eval "${_COMMAND}"', "interactive": True})
"""One for all: the command stands in the environment, where nothing in it is filled in."""
_NO_HOOKS = HookAddress("", 0, "", "")
_WORKSPACE, _LAUNCHED = "node-workspace.json", "node-launch"
_MOST_OUTPUT = 3 << 20  # bytes; a client takes four MiB unless it was told otherwise
_ECHO = 1.0  # seconds that a terminal may take to show what was typed
_LONGEST_COMMAND = 100 << 10  # bytes; the system takes no longer word


class DocumentedCalls:
    """Each takes its request and returns its answer, or raises an error of ours."""

    def __init__(self, host: Host, root: WorkspaceRoot) -> None:
        self._host = host
        self._root = root
        self._home = root.home()
        self._machine = LocalMachine()
        self._alone = SessionLocks()

    # --- workspaces -------------------------------------------------------------------------------

    def create_workspace(self, request: Any) -> Any:
        """Make it, or find it."""
        brief = _workspace(request)
        place = Path(self._host.workspace_path(brief))
        self._root.check_place("session_id", place)
        files = self._files(brief.session_id)
        with self._alone.alone(brief.session_id):
            files.write(_WORKSPACE, codec.dumps(brief))
            made = self._host.make(brief)
        return messages.CreateWorkspaceResponse(workspace_path=made.path)

    def destroy_workspace(self, request: Any) -> Any:
        """Save what is only there, then remove it; gone already is fine."""
        kind, project, session = self._root.workspace("workspace_path", request.workspace_path)
        with self._alone.alone(session):
            self._destroy(kind, project, session, request.workspace_path)
        return messages.DestroyWorkspaceResponse()

    def _destroy(self, kind: str, project: str, session: str, path: str) -> None:
        brief = self._recorded(session)
        if brief is not None and (brief.workspace, brief.project_id) == (kind, project):
            self._host.remove(replace(brief, ended=True))
        elif self._machine.real([Path(path)])[0].exists():
            raise Refused(f"{path} was not made by CreateWorkspace; nothing of it is removed")

    def _recorded(self, session: str) -> Brief | None:
        text = self._files(session).read(_WORKSPACE)
        with suppress(ValueError):
            return None if text is None else codec.loads(Brief, text)
        raise Refused(f"what is known of the workspace of {session} cannot be read")

    # --- runtimes ---------------------------------------------------------------------------------

    def create_runtime(self, request: Any) -> Any:
        """Start it, or find it where this very command runs already."""
        name, command = _name(request), _command(request)
        cwd = self._root.folder("cwd", request.cwd)
        env = {**_environment(request.env), _COMMAND: command}
        brief = self._brief(name, RUNTIME, cwd=cwd, env=env)
        with self._alone.alone(name):
            handle = self._launched(brief, _digest(command, str(cwd), env))
        told = replace(handle, data={**handle.data, "session_id": request.session_id})
        return messages.CreateRuntimeResponse(handle=_told(told))

    def _launched(self, brief: Brief, asked: str) -> RuntimeHandle:
        found = self._host.terminals(RUNTIME).get(brief.session_id)
        files = self._files(brief.session_id)
        if found is not None and found.data.get("started"):
            if files.read(_LAUNCHED) == asked:
                return found
            raise Conflict(f"session_name: {brief.session_id} runs another command: end it first")
        files.write(_LAUNCHED, asked)
        number = int(found.data.get("number") or 0) + 1 if found is not None else 1
        return self._host.launch(brief, number, _NO_HOOKS, "", False, None).handle

    def destroy_runtime(self, request: Any) -> Any:
        """End it with all that it left behind; gone already is fine."""
        brief = self._of_handle(request)
        with self._alone.alone(brief.session_id):
            self._host.stop(brief, launched=True)
            files = self._files(brief.session_id)
            if files.read(_WORKSPACE) is None and files.read(_LAUNCHED) is not None:
                files.remove()
        return messages.DestroyRuntimeResponse()

    # --- their terminals --------------------------------------------------------------------------

    def send_message(self, request: Any) -> Any:
        """Type it, as one paste, and Enter once the terminal shows it."""
        brief = self._of_handle(request)
        if not request.message:
            raise Invalid("message: is empty")
        with self._alone.alone(brief.session_id):
            before = self._host.shot(brief, 0)
            self._host.type_keys(brief, request.message.encode(), paste=True)
            until = time.monotonic() + _ECHO
            while self._host.shot(brief, 0) == before and time.monotonic() < until:
                time.sleep(0.05)
            self._host.type_keys(brief, b"\r", paste=False)
        return messages.SendMessageResponse()

    def get_output(self, request: Any) -> Any:
        """The last lines, as many of them as a client takes."""
        brief = self._of_handle(request)
        told = self._host.output(brief, max(1, request.lines)) if request.lines else ""
        last = told.encode(errors="replace")[-_MOST_OUTPUT:].decode(errors="ignore")
        return messages.GetOutputResponse(output=last)

    def is_alive(self, request: Any) -> Any:
        """Whether its process runs. Raises Unreachable where nobody can tell."""
        brief = self._of_handle(request)
        handle = brief.handle
        seen = self._host.survey(brief.runtime, {brief.session_id: handle})
        process = seen.processes[brief.session_id]
        if process.presence is Presence.UNKNOWN:
            raise Unreachable(f"nobody can tell whether {brief.session_id} runs: {process.detail}")
        return messages.IsAliveResponse(alive=process.presence is Presence.ALIVE)

    # --- the sessions behind them -----------------------------------------------------------------

    def _files(self, session: str) -> SessionFiles:
        return SessionFiles(self._machine, self._home, session)

    def _brief(
        self,
        name: str,
        runtime: str,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        handle: RuntimeHandle | None = None,
    ) -> Brief:
        known = identity(self._home.root, cwd) if cwd is not None else None
        return Brief(
            session_id=name,
            project_id=known[1] if known is not None else "node",
            agent="command",
            runtime=runtime,
            workspace=known[0] if known is not None else KINDS[0],
            agent_config=_RUNS,
            env=env or {},
            path=str(cwd or ""),
            handle=handle,
        )

    def _of_handle(self, request: Any) -> Brief:
        if not request.HasField("handle"):
            raise Invalid("handle: is missing")
        name = identifier("handle.id", request.handle.id)
        runtime = request.handle.runtime_name
        if runtime not in RUNTIMES:
            raise Invalid(f"handle.runtime_name: {runtime!r} is none of {', '.join(RUNTIMES)}")
        handle = RuntimeHandle(name, runtime, dict(request.handle.data))
        return self._brief(name, runtime, handle=handle)


def _workspace(request: Any) -> Brief:
    kind, branch = request.workspace_type, None
    if kind not in KINDS:
        raise Invalid(f"workspace_type: {kind!r} is none of {', '.join(KINDS)}")
    session = identifier("session_id", request.session_id)
    branch = request.branch if request.HasField("branch") else session
    for field, name in (("default_branch", request.default_branch), ("branch", branch)):
        fault = wrong_with(name)
        if fault is not None:
            raise Invalid(f"{field}: {fault}")
    source = request.path
    if "\0" in source or not (source.startswith("/") or (not source and kind == "clone")):
        raise Invalid(f"path: {source!r} is no absolute path of the project's repository")
    if not (request.repo_url or source) or request.repo_url.startswith("-"):
        raise Invalid(f"repo_url: {request.repo_url!r} is no address of a repository")
    return Brief(
        session_id=session,
        project_id=identifier("project_id", request.project_id),
        agent="command",
        runtime=RUNTIME,
        workspace=kind,
        agent_config=_RUNS,
        repo=request.repo_url or source,
        source=source or "/nonexistent",
        branch=branch,
        base=request.default_branch,
    )


def _name(request: Any) -> str:
    session = identifier("session_id", request.session_id)
    return identifier("session_name", request.session_name) if request.session_name else session


def _command(request: Any) -> str:
    command = str(request.launch_command)
    if not command.strip() or "\0" in command or len(command.encode()) > _LONGEST_COMMAND:
        raise Invalid("launch_command: must be a line for sh")
    return command


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not name or "=" in name or "\0" in name + value:
            raise Invalid(f"env: {name!r} is no variable")
    return dict(given)


def _digest(command: str, cwd: str, env: Mapping[str, str]) -> str:
    words = json.dumps([command, cwd, sorted(env.items())])
    return hashlib.sha256(words.encode()).hexdigest()


def _told(handle: RuntimeHandle) -> Any:
    return messages.ProtoRuntimeHandle(
        id=handle.id, runtime_name=handle.runtime_name, data=dict(handle.data)
    )
