"""Reads the source as text and trees and tells what breaks the rules of the
house; of what it reads it imports nothing.

Every checker takes sources by path (``ennio/http/app.py``) and returns one sentence for each fault.
"""

from __future__ import annotations

import ast
import configparser
import functools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from ennio.lasting import lasting

Sources = Mapping[str, str]

LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "model",
        "machine logs tracing greenlets dataclass_methods lasting",
        "config policy",
        "plugins store nats",
        "proxy",
        "hosts",
        "actors",
        "http node",
        "board cli demo",
        "boot supervise children locks relaying metering radar looking nodes",
    )
)
PURE = LAYERS[0] | LAYERS[2]
ACTING = frozenset({"machine", "nats", "plugins", "store"})
CLIENTS = frozenset({"board", "cli", "demo"})
SLOTS = frozenset(
    {"agent", "runtime", "workspace", "tracker", "forge", "notifier", "predictor", "terminal"}
)

MACHINERY = frozenset(
    {
        "gevent",
        "pykka",
        "peewee",
        "subprocess",
        "socket",
        "sqlite3",
        "psycopg",
        "threading",
        "falcon",
        "gunicorn",
        "grpc",
        "psutil",
    }
)
"""What acts on the world, and has no place where decisions are made."""
GROUND = frozenset(
    {"os", "pathlib", "shutil", "subprocess", "signal", "socket", "psutil", "stat", "tempfile"}
)
"""The machine itself, which actors only know through their hosts."""
THROUGH_A_MACHINE = (
    "ennio/hosts/",
    "ennio/plugins/agent/",
    "ennio/plugins/runtime/",
    "ennio/plugins/workspace/",
)
"""What works on whatever machine it is given; so do the modules that these
share, beside the slots.
"""
AT_HAND = frozenset(
    {
        "glob",
        "os",
        "psutil",
        "shutil",
        "socket",
        "sqlite3",
        "subprocess",
        "tempfile",
        "urllib3",
        "ennio.machine.files",
        "ennio.machine.local",
        "ennio.machine.untrusted",
    }
)
"""What reaches for the machine at hand, whichever it should be."""
ON_DISK = frozenset(
    {
        *("chmod", "exists", "expanduser", "glob", "is_dir", "is_file", "is_symlink", "iterdir"),
        *("lstat", "mkdir", "open", "read_bytes", "read_text", "readlink", "resolve", "rglob"),
        *("rmdir", "samefile", "stat", "symlink_to", "touch", "unlink", "write_bytes"),
        "write_text",
    }
)
"""The methods of a path that do the same."""
SCHEDULING = frozenset({"gevent", "pykka"})
"""Who runs whom is the actors' affair; plugins and the store use the standard library."""

LIBRARIES = frozenset(
    {
        "apprise",
        "blessed",
        "segno",
        "wcwidth",
        "cryptography",
        "falcon",
        "gevent",
        "grpc",
        "gunicorn",
        "inotify_simple",
        "marshmallow",
        "paramiko",
        "peewee",
        "opentelemetry",
        "prometheus_client",
        "psutil",
        "psycopg",
        "pykka",
        "pynats",
        "pyte",
        "urllib3",
        "websockets",
        "yaml",
    }
)
PRICE_DATA = ("genai_prices", "ennio/policy/ledger/prices.py")
"""What models cost is no model, and asks none; the one place that reads it."""
UPSTREAMS = "ennio/proxy/upstreams.py"
"""Where agents ask their models: the proxy stands between, and asks nothing by itself."""
"""What the house builds on. None of them knows a model; whoever adds one says so here."""
MODEL_CLIENTS = re.compile(
    r"openai|anthropic|claude|litellm|langchain|llama|ollama|mistral|cohere|groq|genai|generativeai|vertexai|bedrock|transformers|torch|vllm|"
    r"huggingface|together|replicate|tiktoken|dspy|instructor|pydantic.ai|smolagents|crewai|autogen",
    re.IGNORECASE,
)
MODEL_APIS = re.compile(
    r"\bapi\.(openai|anthropic|mistral|cohere|groq|together|deepseek|x)\.|generativelanguage\.|openrouter\.ai|bedrock-runtime|"
    r"/v1/(messages|complete|completions|chat/completions|responses|embeddings)\b|:generateContent|:11434\b"
)
"""Where models are asked: their hosts, and the paths they share."""

NAMELESS = frozenset(
    {"utils", "util", "helpers", "helper", "common", "manager", "service", "impl", "misc"}
)
BROAD = frozenset({"Exception", "BaseException"})


def layer(part: str) -> int | None:
    """How far up a part of the package stands; None for one that has no place yet."""
    return next((height for height, members in enumerate(LAYERS) if part in members), None)


def part_of(path: str) -> str:
    """The part of the package a file belongs to: ``ennio/http/app.py`` to ``http``,
    ``ennio/boot.py`` to ``boot``.
    """
    return PurePosixPath(path).parts[1].removesuffix(".py")


@functools.cache
def nodes(source: str) -> tuple[ast.AST, ...]:
    """The whole tree of a file; read once for all checkers, which takes most of their time."""
    with lasting():  # of all files it is millions of objects, and no garbage
        return tuple(ast.walk(ast.parse(source)))


@functools.cache
def imports(path: str, source: str) -> tuple[tuple[int, str], ...]:
    """Every module a file imports, with its line, also inside of functions and for types only."""
    return tuple(_imports(path, source))


def _imports(path: str, source: str) -> Iterator[tuple[int, str]]:
    for node in nodes(source):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(path, node)
            yield node.lineno, origin
            yield from (
                (node.lineno, f"{origin}.{alias.name}")
                for alias in node.names
                if origin in ("ennio", "ennio.plugins")
            )
        elif (
            isinstance(node, ast.Call)
            and _called(node) in ("import_module", "__import__", "resolve_name")
            and node.args
        ):
            named = node.args[0]
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                yield node.lineno, named.value.split(":")[0]


def _absolute(path: str, node: ast.ImportFrom) -> str:
    folder = PurePosixPath(path).parent.parts
    above = folder[: len(folder) - node.level + 1] if node.level else ()
    return ".".join((*above, *filter(None, [node.module])))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def placeless(sources: Sources) -> list[str]:
    """Parts of the package that no layer names."""
    parts = {part_of(path) for path in sources} - {"__init__"}
    return [f"ennio.{part} stands in no layer" for part in sorted(parts) if layer(part) is None]


def climbs(sources: Sources) -> list[str]:
    """Imports of something higher up, or of a neighbour in the layer of plugins and store."""
    return [
        f"{path}:{line}: {part_of(path)} may not import {name}"
        for path, line, name in _inner(sources)
        if not _may(part_of(path), name.split(".")[1])
    ]


def _inner(sources: Sources) -> Iterator[tuple[str, int, str]]:
    for path, source in sources.items():
        yield from (
            (path, line, name) for line, name in imports(path, source) if name.startswith("ennio.")
        )


def _may(importer: str, imported: str) -> bool:
    below, above = layer(imported), layer(importer)
    if below is None or above is None or importer == imported:
        return True  # a name of ennio/__init__, or a part that ``placeless`` tells of
    if importer in CLIENTS and imported in ("store", "actors"):
        return False
    return below < above or (below == above and {importer, imported} != {"plugins", "store"})


def past_the_orchestrator(sources: Sources) -> list[str]:
    """Places where the API reads or orders by itself what only the
    orchestrator reads and orders.
    """
    found = []
    for path, source in sources.items():
        if part_of(path) != "http":
            continue
        found += [
            f"{path}:{line}: asks {name} itself"
            for line, name in imports(path, source)
            if _behind(name)
        ]
        found += [
            f"{path}:{node.lineno}: {ast.unparse(node)} is behind the orchestrator"
            for node in nodes(source)
            if isinstance(node, ast.Attribute) and node.attr in ("store", "deps")
        ]
    return found


def _behind(name: str) -> bool:
    if name.startswith("ennio.actors"):
        return not name.startswith("ennio.actors.orchestrator")
    return name.startswith(("ennio.store", "ennio.plugins")) and name != "ennio.plugins.shipped"


def slot_mixing(sources: Sources) -> list[str]:
    """Plugins of one slot that import another's beyond its interface; the
    registry alone knows them all.
    """
    found = []
    for path, line, name in _inner(sources):
        own = "".join(PurePosixPath(path).parts[2:3])
        other, *rest = [*name.split(".")[2:], ""]
        if (
            part_of(path) == "plugins"
            and own in SLOTS
            and other in SLOTS - {own}
            and rest[0] != "interface"
        ):
            found.append(f"{path}:{line}: the {own} slot may not import {name}")
    return found


def machinery(sources: Sources) -> list[str]:
    """Decisions that reach for the world, and plugins or a store that reach for the scheduler."""
    found = []
    for path, source in sources.items():
        part = part_of(path)
        barred = MACHINERY if part in PURE else SCHEDULING if part in ACTING else frozenset()
        found += [
            f"{path}:{line}: {part} may not import {name}"
            for line, name in imports(path, source)
            if name.split(".")[0] in barred
        ]
    return found


def reaching(sources: Sources) -> list[str]:
    """Actors that reach for the machine themselves: files, processes and the environment
    are their hosts' affair.
    """
    return [
        f"{path}:{line}: actors ask their host instead of {name}"
        for path, source in sources.items()
        for line, name in imports(path, source)
        if part_of(path) == "actors" and name.split(".")[0] in GROUND
    ]


def at_hand(sources: Sources, excused: Mapping[str, str]) -> list[str]:
    """What should work on any machine and reaches for the one at hand, and excuses
    that are no longer needed.
    """
    found = {
        path: faults
        for path, source in sources.items()
        if _any_machine(path) and (faults := [*_at_hand(path, source)])
    }
    needless = [f"{path} is excused and need not be" for path in excused if path not in found]
    return [
        fault for path, faults in found.items() if path not in excused for fault in faults
    ] + needless


def _any_machine(path: str) -> bool:
    return path.startswith(THROUGH_A_MACHINE) or PurePosixPath(path).parent == PurePosixPath(
        "ennio/plugins"
    )


def _at_hand(path: str, source: str) -> Iterator[str]:
    for line, name in imports(path, source):
        if name in AT_HAND or name.split(".")[0] in AT_HAND:
            yield f"{path}:{line}: {name} is the machine at hand; ask the one it was given"
    for node in nodes(source):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ON_DISK
        ):
            whose = ast.unparse(node.func.value)
            if not whose.endswith("machine") and whose != "single":
                yield (
                    f"{path}:{node.lineno}: {whose}.{node.func.attr} is on the disk at hand; ask "
                    "the machine it was given"
                )


def foreign(sources: Sources) -> list[str]:
    """Imports from outside of the standard library and of what the house builds on."""
    known = LIBRARIES | sys.stdlib_module_names | {"ennio", "__future__"}
    return [
        f"{path}:{line}: {name} is not one of the libraries the house builds on"
        for path, source in sources.items()
        for line, name in imports(path, source)
        if name.split(".")[0] not in known and (name.split(".")[0], path) != PRICE_DATA
    ]


def model_calls(sources: Sources) -> list[str]:
    """Addresses of models: whoever asks one holds its host or its path somewhere in the source."""
    return [
        f"{path}:{number}: asks a model: {line.strip()}"
        for path, source in sources.items()
        for number, line in enumerate(source.splitlines(), start=1)
        if MODEL_APIS.search(line) and path != UPSTREAMS
    ]


def model_requirements(setup: str) -> list[str]:
    """Requirements of ``setup.cfg`` that are clients of models, extras included."""
    read = configparser.ConfigParser()
    read.read_string(setup)
    wanted = [read["options"]["install_requires"], *read["options.extras_require"].values()]
    lines = [line.split("#")[0].strip() for block in wanted for line in block.splitlines()]
    prices = PRICE_DATA[0].replace("_", "-")
    return [
        line
        for line in lines
        if MODEL_CLIENTS.search(line) and re.split("[<>=~]", line)[0] != prices
    ]


def broad_excepts(sources: Sources, walls: Iterable[str]) -> list[str]:
    """Handlers that swallow anything, outside of the walls; one that ends by
    raising again swallows nothing.
    """
    return [
        f"{path}:{node.lineno}: catches everything"
        for path, source in sources.items()
        if path not in walls
        for node in nodes(source)
        if isinstance(node, ast.ExceptHandler) and _broad(node) and not _ends_by_raising(node)
    ]


def _broad(node: ast.ExceptHandler) -> bool:
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)


def _ends_by_raising(node: ast.ExceptHandler) -> bool:
    last = node.body[-1]
    if isinstance(last, ast.Raise):
        return True
    called = (
        ast.unparse(last.value.func)
        if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)
        else ""
    )
    return called == "os._exit"  # a forked child must never return into its parent's code


def nameless(paths: Iterable[str]) -> list[str]:
    """Files and folders whose names say nothing of what is in them; a verb's says what is typed."""
    return [
        path
        for path in paths
        if not path.startswith("ennio/cli/verbs/")
        and {part.removesuffix(".py") for part in PurePosixPath(path).parts} & NAMELESS
    ]


def oversized(sources: Sources, most: int, excused: Mapping[str, str]) -> list[str]:
    """Modules longer than they may be, and excuses that are no longer needed."""
    long = {path for path, source in sources.items() if source.count("\n") > most}
    needless = [f"{path} is excused and need not be" for path in excused if path not in long]
    return [
        f"{path} is longer than {most} lines" for path in sorted(long - set(excused))
    ] + needless


def shared_names(sources: Sources, excused: Mapping[str, str]) -> list[str]:
    """Public classes of one name in several files, and excuses that are no longer needed."""
    places: dict[str, list[str]] = {}
    for path, source in sources.items():
        for node in nodes(source):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    shared = {name: where for name, where in places.items() if len(where) > 1}
    needless = [f"{name} is excused and need not be" for name in excused if name not in shared]
    return [
        f"{name} is {' and '.join(where)}"
        for name, where in sorted(shared.items())
        if name not in excused
    ] + needless
