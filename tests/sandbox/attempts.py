"""What a program of an agent may try: run inside, ``python -I -S attempts.py FACTS``.

Each attempt returns what it got; whatever it raises is written down as a refusal. The standard
library only. ``FACTS`` tell where outside everything is, as if the agent knew.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

LIBC = ctypes.CDLL(None, use_errno=True)
FACTS = {}
ATTEMPTS: list[Callable[[], object]] = []


def attempt(act: Callable[[], object]) -> Callable[[], object]:
    ATTEMPTS.append(act)
    return act


def system_call(number: int, *words: object) -> int:
    LIBC.syscall.restype = ctypes.c_long
    code = LIBC.syscall(number, *words)
    if code < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(code)


def said(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise OSError(done.returncode, done.stderr.strip()[:200])
    return done.stdout


def heard(address: object, family: int = socket.AF_UNIX) -> str:
    with socket.socket(family) as there:
        there.settimeout(3)
        there.connect(address)
        return there.recv(100).decode()


def written(path: str) -> str:
    with open(path, "a", encoding="utf-8") as file:
        file.write("planted\n")
    return f"wrote {path}"


# --- files ----------------------------------------------------------------------------------------


@attempt
def read_the_keys_of_the_person() -> str:
    return Path(FACTS["person"], ".ssh/id_rsa").read_text()


@attempt
def see_anything_in_the_home_of_the_person() -> list[str]:
    return [name for name in os.listdir(FACTS["person"]) if name.startswith(".")] or refuse()


@attempt
def read_the_home_of_root() -> list[str]:
    found = os.listdir("/root")
    return [name for name in found if name not in (".pyenv", "work")] or refuse()


@attempt
def read_what_is_untracked_in_the_repository() -> str:
    return Path(FACTS["repository"], "untracked.env").read_text()


@attempt
def write_the_configuration_of_the_repository() -> str:
    return written(FACTS["repository"] + "/.git/config")


@attempt
def write_a_hook_of_the_hub() -> str:
    return written(FACTS["hub"] + "/hooks/post-receive")


@attempt
def read_the_password_file() -> str:
    return Path("/etc/shadow").read_text()


@attempt
def write_into_the_system() -> str:
    return written("/usr/bin/planted") + written("/etc/passwd")


@attempt
def write_into_ennio_itself() -> str:
    return written(FACTS["hook_program"])


@attempt
def write_beside_what_is_there() -> str:
    return written("/planted")


@attempt
def read_the_token_of_its_own_hook() -> str:
    return Path(FACTS["folder"], "bell.json").read_text()


@attempt
def see_the_rest_of_its_own_folder() -> list[str]:
    return [name for name in os.listdir(FACTS["folder"]) if name != "agent"] or refuse()


@attempt
def see_other_sessions() -> list[str]:
    found = os.listdir(Path(FACTS["folder"]).parent)
    return [name for name in found if name != Path(FACTS["folder"]).name] or refuse()


@attempt
def see_the_run_folder_of_the_supervisor() -> list[str]:
    return os.listdir(Path(FACTS["home"], "run"))


@attempt
def leave_by_the_root_of_another_process() -> str:
    return Path(f"/proc/{FACTS['outside_pid']}/root" + FACTS["person"], ".netrc").read_text()


@attempt
def leave_by_the_root_of_the_first_process() -> str:
    return Path("/proc/1/root" + FACTS["person"], ".netrc").read_text()


@attempt
def open_by_handle_what_is_not_named() -> int:
    return system_call(304, -100, b"\0" * 16, 0)


# --- processes ------------------------------------------------------------------------------------


@attempt
def find_a_secret_in_its_own_environment() -> list[str]:
    return [f"{name}={text}" for name, text in os.environ.items() if "secret" in text] or refuse()


@attempt
def find_a_secret_in_any_environment() -> list[str]:
    found = []
    for one in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if one.isdigit() and b"secret" in Path("/proc", one, "environ").read_bytes():
                found.append(one)
    return found or refuse()


@attempt
def see_processes_outside() -> list[str]:
    found = [one for one in os.listdir("/proc") if one.isdigit()]
    return [one for one in found if int(one) > 1000] or refuse()


@attempt
def end_a_process_outside() -> str:
    os.kill(int(FACTS["outside_pid"]), signal.SIGKILL)
    return "killed"


@attempt
def trace_a_process_outside() -> int:
    return system_call(101, 16, int(FACTS["outside_pid"]), 0, 0)


@attempt
def inherit_an_open_file() -> list[str]:
    found = {}
    for one in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[one] = os.readlink(f"/proc/self/fd/{one}")
    own = ("/dev/pts/", "/dev/null", "/dev/tty", "/proc/", "/dev/console")
    return [f"{one} {to}" for one, to in found.items() if not to.startswith(own)] or refuse()


@attempt
def become_more_than_it_is() -> str:
    told = Path("/proc/self/status").read_text().splitlines()
    known = dict(line.split(":\t", 1) for line in told if ":\t" in line)
    if known["NoNewPrivs"] == "1" and int(known["CapEff"], 16) == 0:
        refuse()
    return f"{known['NoNewPrivs']} {known['CapEff']}"


@attempt
def make_as_many_processes_as_it_likes() -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if 0 < hard <= 4096:
        refuse()
    return f"{soft} {hard}"


@attempt
def fill_the_memory_with_a_file() -> str:
    at = Path("/tmp/large")
    try:
        with at.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 3 << 30)
        return "3 GiB"
    finally:
        at.unlink(missing_ok=True)


# --- the kernel -----------------------------------------------------------------------------------


@attempt
def mount_something() -> int:
    return system_call(165, b"none", b"/tmp", b"tmpfs", 0, 0)


@attempt
def mount_by_the_newer_calls() -> int:
    return system_call(430, b"tmpfs", 0)


@attempt
def make_a_user_namespace() -> str:
    system_call(272, 0x10000000)
    return "a new user namespace"


@attempt
def make_a_user_namespace_by_clone() -> int:
    pid = system_call(56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return pid


@attempt
def read_the_keys_of_the_kernel() -> int:
    return system_call(250, 0, -3, 0)


@attempt
def look_for_a_key_of_the_kernel() -> int:
    return system_call(249, b"user", b"ennio-test", 0, 0)


@attempt
def load_a_program_into_the_kernel() -> int:
    return system_call(321, 0, 0, 0)


@attempt
def use_io_uring() -> int:
    return system_call(425, 1, ctypes.create_string_buffer(120))


@attempt
def make_a_device() -> str:
    os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0))
    with open("/tmp/disk", "rb") as disk:
        return str(len(disk.read(512)))


@attempt
def find_devices_of_the_machine() -> list[str]:
    plain = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "pts", "shm"}
    plain |= {"fd", "stdin", "stdout", "stderr", "core", "mqueue"}
    return [name for name in os.listdir("/dev") if name not in plain] or refuse()


@attempt
def write_a_setting_of_the_kernel() -> str:
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))  # nothing is written
    return "it could be written"


@attempt
def type_into_its_terminal() -> str:
    for letter in b"reboot\n":
        fcntl.ioctl(0, termios.TIOCSTI, bytes([letter]))
    return "typed"


@attempt
def rename_the_machine() -> str:
    socket.sethostname("planted")
    return "renamed"


# --- sockets --------------------------------------------------------------------------------------


@attempt
def reach_tmux_by_its_socket() -> str:
    return said("tmux", "-S", FACTS["tmux"], "list-sessions")


@attempt
def reach_docker() -> str:
    return heard(FACTS["docker"])


@attempt
def find_docker_where_it_is() -> str:
    return heard("/var/run/docker.sock")


@attempt
def find_the_session_bus_or_a_display() -> list[str]:
    places = ("/run/user", "/run/dbus", "/tmp/.X11-unix", "/run/systemd")
    named = [name for name in os.environ if "DBUS" in name or "DISPLAY" in name]
    return [one for one in places if os.path.exists(one)] + named or refuse()


@attempt
def find_an_agent_with_keys() -> str:
    return os.environ["SSH_AUTH_SOCK"]


@attempt
def reach_an_abstract_socket() -> str:
    return heard("\0" + FACTS["abstract"])


@attempt
def reach_the_port_of_the_supervisor() -> str:
    return heard(("127.0.0.1", FACTS["port"]), socket.AF_INET)


@attempt
def reach_the_world() -> str:
    return heard(("192.0.2.1", 80), socket.AF_INET)


@attempt
def open_a_raw_socket() -> str:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW):
        return "raw"


@attempt
def speak_to_the_hypervisor() -> str:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM):
        return "vsock"


@attempt
def push_to_another_repository_through_the_door() -> str:
    """The door leads to one repository, whatever is asked of it."""
    done = subprocess.run(
        ["git", "push", "--quiet", FACTS["other_hub"], "HEAD:refs/heads/planted"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if done.returncode:
        refuse()
    return "pushed"


# --- what works all the same ----------------------------------------------------------------------


def works() -> dict[str, object]:
    """What an agent has to be able to do."""
    told: dict[str, object] = {"cwd": os.getcwd(), "pid": os.getpid(), "leads": os.getsid(0)}
    Path("work.txt").write_text("work\n")
    for words in (
        ["git", "add", "work.txt"],
        ["git", "commit", "-qm", "Work"],
        ["git", "push", "-q", "origin", "HEAD"],
        ["git", "fetch", "-q", "origin"],
    ):
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        told[" ".join(words[:2])] = done.returncode or 0
        told.setdefault("said", "")
        told["said"] = f"{told['said']}{done.stderr}"
    told["terminal"] = os.isatty(0)
    told["env"] = sorted(os.environ)
    return told


def refuse() -> NoReturn:
    raise PermissionError("nothing of it is there")


def main(facts: dict[str, Any]) -> None:
    FACTS.update(facts)
    told: dict[str, object] = {"works": works(), "got": {}, "refused": {}}
    for act in ATTEMPTS:
        if act.__name__ not in facts.get("only", [act.__name__]):
            continue
        try:
            got = act()
        except BaseException as error:  # noqa: BLE001 - whatever stops it, it is stopped
            told["refused"][act.__name__] = f"{type(error).__name__}: {error}"
        else:
            told["got"][act.__name__] = str(got)
    Path("told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
