"""A real sshd on a port of loopback with accounts of its own: killed, frozen and started again as
a test wants it.

Where we are root each account is a user of the system with a home, a shell and a ``.bashrc`` of its
own. Elsewhere there is only the user who runs the tests, with another HOME.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil

from tests.conftest import eventually, lacking, need
from tests.frozen import freeze
from tests.ssh.namespace import Namespace

HOST = "127.0.0.1"
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_NUMBERS = count(1)
_PREFIX = "ennio-"


def program() -> str:
    """The path of sshd, which must be called by it; a laptop skips without it, CI fails."""
    found = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), *_PLACES]))
    if found is None:
        lacking("sshd is not installed (apt-get install openssh-server): ssh was NOT tested")
    return found


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in. ``key`` is a private key without a passphrase; its public one lies beside
    it. ``keys`` holds all public keys that may log in, one a line.
    """

    name: str
    uid: int
    gid: int
    home: Path
    key: Path
    keys: Path

    def folder(self, name: str) -> Path:
        """A new folder in the home, of the account's own."""
        folder = self.home / name
        folder.mkdir(mode=0o755)
        self.own(folder)
        return folder

    def own(self, path: Path) -> None:
        """Give the account what a test has made."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def processes(self, wanted: Callable[[psutil.Process], bool]) -> list[int]:
        """Its living processes of which that holds, seen without asking Ennio."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                own = process.uids().real == self.uid
                if own and process.status() != psutil.STATUS_ZOMBIE and wanted(process):
                    found.append(process.pid)
        return sorted(found)

    def launches(self) -> set[str]:
        """Each launch of an agent that lives there, with its session."""
        found = set[str]()

        def note(process: psutil.Process) -> bool:
            env = process.environ()
            if "ENNIO_SESSION_ID" in env and "ENNIO_LAUNCH" in env:
                found.add(f"{env['ENNIO_SESSION_ID']} {env['ENNIO_LAUNCH']}")
            return False

        self.processes(note)
        return found

    @property
    def as_user(self) -> dict[str, int]:
        """What ``subprocess`` takes to run a program as this account."""
        return {"user": self.uid, "group": self.gid} if os.geteuid() == 0 else {}


class Sshd:
    """An sshd with a folder of its own, which others may look into; ``options`` are lines of its
    configuration, which come before ours. Where it has a network of its own, ``address`` is where
    it is reached.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = (),
        *,
        own: bool = False,
        network: Namespace | None = None,
    ) -> None:
        self.folder = folder
        self.address = network.far if network else HOST
        self._within = network.within if network else ()
        self._own = own or os.geteuid() != 0
        self.port = _free_port()
        self._accounts = list[Account]()
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = list[psutil.Process]()
        folder.chmod(0o755)
        for name in ("keys", "home", "host"):
            (folder / name).mkdir(mode=0o755)
        self.host_key = folder / "host" / "key"
        self.log = folder / "log"
        self.new_host_key()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.configure(*options)

    def configure(self, *options: str) -> None:
        """Set these lines of its configuration in place of others; it is started anew with them."""
        lines = [
            *options,
            f"Port {self.port}",
            *(f"ListenAddress {address}" for address in dict.fromkeys((HOST, self.address))),
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self.folder}/keys/%u",
            f"PidFile {self.folder}/pid",
            "StrictModes no",
            "UsePAM no",
            "UseDNS no",
            "LogLevel VERBOSE",
            "PermitRootLogin yes",
            "Subsystem sftp internal-sftp",
        ]
        if self._own:
            lines.append(f"SetEnv HOME={self.folder}/home/{_me()}")
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        if self._process is not None:
            self.restart()

    # --- who may log in ---------------------------------------------------------------------------

    def account(
        self, *, login_shell: str = "/bin/bash", bashrc: str = "", password: str = ""
    ) -> Account:
        """Somebody new who may log in by a key (and by a password); where we are no root it is
        always the user who runs the tests.
        """
        if self._own and (self._accounts or password or login_shell != "/bin/bash"):
            lacking("only root has other users: what needs them was NOT tested")
        name = _me() if self._own else f"{_PREFIX}{os.getpid()}-{next(_NUMBERS)}"
        home, key = self.folder / "home" / name, self.folder / "keys" / f"{name}.private"
        home.mkdir(mode=0o700)
        if not self._own:
            _add_user(name, home, need(login_shell), password)
        who = pwd.getpwnam(name)
        keys = self.folder / "keys" / name
        account = Account(name, who.pw_uid, who.pw_gid, home, key, keys)
        account.own(home)
        _key(key)
        shutil.copy(f"{key}.pub", keys)
        keys.chmod(0o644)
        (home / ".bashrc").write_text(bashrc)
        account.own(home / ".bashrc")
        self._accounts.append(account)
        return account

    # --- its life ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and wait until it greets."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, program(), "-D", "-e", "-f", str(self.folder / "config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self.greets, why=f"sshd greets; its log is {self.log}")

    def greets(self) -> bool:
        """Whether it can be reached."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self.address, self.port), 1) as made,
        ):
            return made.recv(4) == b"SSH-"
        return False

    def kill(self) -> None:
        """End it at once, with all that serve a connection; what they run over there goes on."""
        for process in self.serving():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait(30)
        self._process, self._frozen = None, []

    def cut(self) -> None:
        """End all that serve a connection, and go on listening."""
        for process in self.serving()[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def restart(self) -> None:
        """Kill it, and start it again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop it with all that serve a connection: who asks gets no answer, and no refusal."""
        self._frozen = self.serving()
        for process in self._frozen:
            with contextlib.suppress(ProcessLookupError):  # one that was about to end
                freeze(process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
        self._frozen = []

    def serving(self) -> list[psutil.Process]:
        """It, and then the processes of its own that serve a connection."""
        if self._process is None:
            return []
        found, left = list[psutil.Process](), [psutil.Process(self._process.pid)]
        while left:
            process = left.pop(0)
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name() == "sshd":
                    found.append(process)
                    left += process.children()
        return found

    def new_host_key(self) -> None:
        """Have another host key from the next start on."""
        for path in (self.host_key, self.host_key.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        _key(self.host_key)

    @property
    def known_host(self) -> str:
        """The line of a known_hosts file that knows it."""
        kind, key = self.host_key.with_suffix(".pub").read_text().split()[:2]
        return f"[{self.address}]:{self.port} {kind} {key}\n"

    def close(self) -> None:
        """Kill it, and remove all accounts with what they left running."""
        self.thaw()
        self.kill()
        for account in self._accounts:
            _remove_user(account.name)


@contextlib.contextmanager
def sshd(*options: str, own: bool = False, network: Namespace | None = None) -> Iterator[Sshd]:
    """One that runs, in a folder that others may enter too, until the block is left. ``own``: who
    logs in is the user who runs the tests, with another HOME.
    """
    program()
    need("ssh-keygen")
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix="ennio-sshd-"))
    server = Sshd(folder, options, own=own, network=network)
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def _me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _key(path: Path) -> None:
    asked = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ennio-test", "-f", str(path)]
    subprocess.run(asked, check=True, stdin=subprocess.DEVNULL)


def _add_user(name: str, home: Path, shell: str, password: str) -> None:
    secret = _hashed(password) if password else "*"  # "!" would lock the account for keys too
    _account_tool(
        *("useradd", "--no-create-home", "--user-group", "--no-log-init"),
        *("--home-dir", str(home), "--shell", shell, "--password", secret, name),
    )


def _hashed(password: str) -> str:
    asked = [need("openssl"), "passwd", "-6", "-stdin"]
    done = subprocess.run(asked, input=password, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _remove_user(name: str) -> None:
    if not name.startswith(_PREFIX):
        return  # the user who runs the tests
    with contextlib.suppress(KeyError):
        _end_all_of(pwd.getpwnam(name).pw_uid)
        _account_tool("userdel", name)


def _end_all_of(uid: int) -> None:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == uid:
                process.send_signal(signal.SIGKILL)


def _account_tool(*words: str) -> None:
    """Run what changes /etc/passwd, which only one may do at a time."""

    def done() -> bool:
        asked = subprocess.run([need(words[0]), *words[1:]], capture_output=True, check=False)
        assert asked.returncode in {0, 6, 9}, asked.stderr.decode()  # 6, 9: gone, or there already
        return True

    eventually(done, within=30, why=f"{words[0]} {words[-1]}")


def _sweep() -> None:
    """Remove the accounts of tests that were killed."""
    if os.geteuid() != 0:
        return
    for entry in pwd.getpwall():
        pid = entry.pw_name.removeprefix(_PREFIX).partition("-")[0]
        if entry.pw_name.startswith(_PREFIX) and pid.isdigit() and not psutil.pid_exists(int(pid)):
            _remove_user(entry.pw_name)
