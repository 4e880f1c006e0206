"""All that an ennio-node needs on another machine, in one file: Ennio itself and the libraries that
it stands on, as they are installed here.

What was made for this very kind of machine does for another one of that kind; for others the files
of the same versions are fetched once and kept. Nothing is fetched over there. Run as a program of
its own, since it takes a second of a processor: ``python -m ennio.node.bundle PYTHON MACHINE LIBC
FOLDER`` prints the file that it has made or found.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import ennio
from ennio.model.errors import Refused

LIBRARIES = (
    *("grpcio", "protobuf", "marshmallow", "psutil", "PyYAML", "pyte", "urllib3"),
    "inotify-simple",
)
"""What hosts, their plugins and the node import; a test holds that it is enough."""
_LEFT_OUT = ("http/dashboard/", "__pycache__/")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")
_OLD_NAMES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_FETCHING = 600.0


@dataclass(frozen=True, slots=True)
class Target:
    """The Python over there (``3.11``), the machine (``x86_64``), and the version of its C library
    (``2.36``; empty for one that is not GNU's).
    """

    python: str
    machine: str
    libc: str

    @classmethod
    def here(cls) -> Target:
        """This one."""
        libc = os.confstr("CS_GNU_LIBC_VERSION") if hasattr(os, "confstr") else None
        return cls(
            f"{sys.version_info.major}.{sys.version_info.minor}",
            os.uname().machine,
            (libc or "").removeprefix("glibc "),
        )

    @property
    def words(self) -> str:
        """As it is said to people."""
        libc = f" with glibc {self.libc}" if self.libc else " without glibc"
        return f"Python {self.python} on {self.machine}{libc}"

    def takes(self, tag: str) -> bool:
        """Whether what a wheel of this tag holds runs there."""
        python, abi, platform = tag.split("-")
        ours = f"cp{self.python.replace('.', '')}"
        if platform == "any":
            return "py3" in python.split(".") or python == ours
        stable = abi == "abi3" and python.startswith("cp3") and int(python[3:]) <= int(ours[3:])
        return (python == ours or stable) and self._runs(platform)

    def _runs(self, platform: str) -> bool:
        old, _, machine = platform.partition("_")
        if old in _OLD_NAMES:
            return machine == self.machine and self._has(_OLD_NAMES[old])
        found = _MANYLINUX.fullmatch(platform)
        if found is None:
            return False
        needs = int(found[1]), int(found[2])
        return found[3] == self.machine and self._has(needs)

    def _has(self, needs: tuple[int, int]) -> bool:
        if not self.libc:
            return False
        major, _, minor = self.libc.partition(".")
        return (int(major), int(minor)) >= needs


# --- what it is made of ---------------------------------------------------------------------------


def digest() -> str:
    """What tells this Ennio, with its libraries, from every other."""
    told = hashlib.sha256()
    for name, file in sorted(_own().items()):
        told.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode())
    for one in _libraries():
        told.update(f"{one.name} {one.version}\0".encode())
    return told.hexdigest()[:12]


def _own() -> Mapping[str, Path]:
    """The files of Ennio itself, by where they belong."""
    root = Path(ennio.__file__).parent
    found = {
        f"ennio/{inside}": file
        for file in root.rglob("*")
        if file.is_file() and not _is_left_out(inside := file.relative_to(root).as_posix())
    }
    info = metadata.distribution("ennio")
    for name in ("METADATA", "entry_points.txt"):
        file = Path(str(info.locate_file(f"ennio-{ennio.__version__}.dist-info/{name}")))
        if file.is_file():
            found[f"ennio-{ennio.__version__}.dist-info/{name}"] = file
    return found


def _is_left_out(inside: str) -> bool:
    return any(part in inside for part in _LEFT_OUT)


def _libraries() -> Iterator[metadata.Distribution]:
    """Those it stands on, with those that they stand on, each once."""
    waiting, seen = list(LIBRARIES), set[str]()
    while waiting:
        name = waiting.pop(0)
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        one = metadata.distribution(name)
        needs = (need for need in one.requires or () if ";" not in need)
        waiting += [found[0] for need in needs if (found := _NAME.match(need))]
        yield one


# --- making it ------------------------------------------------------------------------------------


def made(target: Target, folder: Path) -> Path:
    """The file for that kind of machine; made once. Raises Refused where what it needs is not
    there, saying how to get it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"ennio-node-{ennio.__version__}-{digest()}-{target.python}-{target.machine}"
    file = folder / f"{name}{'' if target.libc else '-any'}.zip"
    if file.exists():
        return file
    part = file.with_suffix(f".{os.getpid()}")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            for name, path in _files(target, folder / "wheels"):
                archive.write(path, name)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


def _files(target: Target, wheels: Path) -> Iterator[tuple[str, Path]]:
    yield from _own().items()
    foreign = []
    for one in _libraries():
        if any(target.takes(tag) for tag in _tags(one)):
            yield from _installed(one)
        else:
            foreign.append(one)
    if foreign:
        yield from _fetched(foreign, target, wheels)


def _tags(one: metadata.Distribution) -> Iterable[str]:
    lines = (one.read_text("WHEEL") or "").splitlines()
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]


def _installed(one: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """The files of what is installed here, without its programs and what Python made of them."""
    for file in one.files or ():
        name = file.as_posix()
        if name.startswith("..") or _is_left_out(name):
            continue
        path = Path(str(one.locate_file(file)))
        if path.is_file():
            yield name, path


def _fetched(
    wanted: Iterable[metadata.Distribution], target: Target, wheels: Path
) -> Iterator[tuple[str, Path]]:
    """The same versions for another kind of machine, unpacked."""
    place = wheels / f"{target.python}-{target.machine}-{target.libc or 'any'}"
    pins = [f"{one.name}=={one.version}" for one in wanted]
    libc = "manylinux_2_28" if target.libc else "musllinux_1_2"
    platforms = [f"{libc}_{target.machine}", f"manylinux2014_{target.machine}"]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--dest", str(place), "--python-version", target.python),
        *(f"--platform={one}" for one in platforms[: 2 if target.libc else 1]),
        *pins,
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_FETCHING,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-3:])
        raise Refused(
            f"what an ennio-node needs for {target.words} is not here and could not be fetched "
            f"({' '.join(pins)}): {said}; fetch it with: {' '.join(command)}"
        )
    for wheel in sorted(place.glob("*.whl")):
        yield from _unpacked(wheel, place / wheel.stem)


def _unpacked(wheel: Path, to: Path) -> Iterator[tuple[str, Path]]:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(to)
    for file in sorted(to.rglob("*")):
        if file.is_file():
            yield file.relative_to(to).as_posix(), file


def main(words: list[str]) -> int:
    """Make it, and print where it is."""
    python, machine, libc, folder = words
    try:
        print(made(Target(python, machine, "" if libc == "-" else libc), Path(folder)))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
