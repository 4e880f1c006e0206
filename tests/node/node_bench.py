"""A node that runs for real: a process of its own, with a root, a tmux server and a person of its
own, and a client that was made of the documentation's text alone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import grpc

from tests.conftest import eventually

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "node.md"
TOKEN = "a-token-of-the-bench"
_PORT = re.compile(r"listens on 127\.0\.0\.1:(\d+)")


def port_of(log: Path) -> int | None:
    """Where the node that began last says that it listens."""
    told = _PORT.findall(log.read_text()) if log.exists() else ()
    return int(told[-1]) if told else None


def documented(folder: Path) -> Any:
    """The messages by name and the service, made of the page's text."""
    from google.protobuf import descriptor_pool, message_factory
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from grpc_tools import protoc

    texts = re.findall(r"```proto\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    head = 'syntax = "proto3";\npackage ennio_node;\n'
    (folder / "documented.proto").write_text(head + "\n".join(texts), encoding="utf-8")
    words = ["protoc", f"-I{folder}", f"--descriptor_set_out={folder / 'made'}", "documented.proto"]
    assert protoc.main(words) == 0, "the documented text is no protocol"
    pool = descriptor_pool.DescriptorPool()
    found = FileDescriptorSet.FromString((folder / "made").read_bytes()).file[0]
    file = pool.AddSerializedFile(found.SerializeToString())
    kinds = file.message_types_by_name.items()
    return (
        {name: message_factory.GetMessageClass(kind) for name, kind in kinds},
        file.services_by_name["EnnioNode"],
    )


class DocumentedClient:
    """Calls by their documented names: ``client.IsAlive(handle=...)``."""

    def __init__(self, made: Any, port: int, token: str | None = TOKEN) -> None:
        self.messages, self._service = made
        alone = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", alone)
        self._metadata = () if token is None else (("authorization", f"Bearer {token}"),)

    def __getattr__(self, name: str) -> Any:
        method = self._service.methods_by_name[name]
        request = self.messages[method.input_type.name]
        answer = self.messages[method.output_type.name]
        call = self._channel.unary_unary(
            f"/{self._service.full_name}/{name}",
            lambda message: message.SerializeToString(),
            answer.FromString,
        )
        return lambda **fields: call(request(**fields), timeout=60, metadata=self._metadata)

    def close(self) -> None:
        self._channel.close()


class NodeBench:
    """One node at a time on one root."""

    def __init__(self, *words: str, token: str | None = TOKEN) -> None:
        self.folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="ennio-node-", dir="/tmp")))
        self.root = self.folder / "root"
        self.words, self.token = words, token
        self.more: dict[str, str] = {}
        self.before: tuple[str, ...] = ()
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        for name in ("person", "tmux"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "person" / ".gitconfig").write_text(
            "[user]\n  name = A\n  email = a@example.org\n[init]\n  defaultBranch = main\n"
        )
        self.run("git", "init", "-q", "--bare", str(self.folder / "hub.git"))
        self.run("git", "clone", "-q", str(self.folder / "hub.git"), str(self.source))
        self.run("git", "-C", str(self.source), "commit", "-q", "--allow-empty", "-m", "begin")
        self.run("git", "-C", str(self.source), "push", "-q", "origin", "HEAD:main")

    @property
    def source(self) -> Path:
        """The project's repository on that machine."""
        return self.folder / "score"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def env(self) -> dict[str, str]:
        given = {} if self.token is None else {"ENNIO_NODE_AUTH_TOKEN": self.token}
        return {
            "HOME": str(self.folder / "person"),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": str(self.folder / "tmux"),
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("platlib")]),
            **given,
            **self.more,
        }

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words, env=self.env, cwd="/", capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """A node's process, whatever becomes of it; what it says is added to the log."""
        command = [
            *self.before,
            sys.executable,
            "-m",
            "ennio.node",
            "--workspace-root",
            str(self.root),
        ]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*command, *self.words, *words], env=self.env, cwd="/", stderr=log, stdout=log
            )

    def start(self, port: int = 0) -> None:
        """A node that answers."""
        before = self.said().count("listens on")
        self.process = self.begin("--port", str(port))
        process = self.process
        eventually(
            lambda: process.poll() is not None or self.said().count("listens on") > before,
            30,
            "the node listens",
        )
        assert process.poll() is None, self.said()
        self.port = port_of(self.log) or 0

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def signal(self, number: int, within: float = 30) -> int:
        """Send it one and wait until it has ended; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(within)

    def close(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGKILL)
        for place in self.folder.glob("tmux/tmux-*/*"):
            subprocess.run(
                ["tmux", "-S", str(place), "kill-server"], capture_output=True, check=False
            )
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)
