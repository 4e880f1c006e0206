"""Whether the parts of a configuration fit together: names that must be
unique, names that must exist.

Works on the plain values of the file, whatever they look like, so that these problems are told
together with those of single fields. Yields places and messages in the words of ``fields``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ennio.config import host_checks, sandbox_schema
from ennio.config.fields import hint
from ennio.config.money import EACH
from ennio.config.yaml_source import Where, shown
from ennio.model.plugin_names import offered
from ennio.model.session import ID_PATTERN, derive_project_id

Fault = tuple[Where, str]
Known = Mapping[str, Sequence[str]]

SELF_MADE = ("desktop",)
"""Notifiers that need no settings: named without being defined, they are there."""
_SAYS_ONLY = ("desktop", "slack", "webhook", "command", "apprise")
_NOBODY_ANSWERS = (
    "needs a notifier that only those read who may answer: `plugin: ntfy` with the `token` of its "
    "topic"
)


def faults(data: Mapping[str, Any], known: Known | None) -> Iterator[Fault]:
    """Everything that does not fit; ``known`` names the plugins of each slot
    (None: they are not judged).
    """
    yield from _projects(data)
    yield from host_checks.faults(_items(data, "projects"), _part(data, "defaults"))
    yield from _notifiers(data)
    yield from _ports(data)
    yield from _budgets(data)
    yield from _prices(data)
    yield from _nats(data)
    yield from _plugins(data, known or {})


def _nats(data: Mapping[str, Any]) -> Iterator[Fault]:
    """What says who we are to the server, twice or by half."""
    seed, file = data.get("nats_nkey_file"), data.get("nats_credentials_file")
    if seed and file:
        yield ("nats_nkey_file",), "is beside nats_credentials_file: keep one of them"
    url = data.get("nats_url")
    if isinstance(url, str) and "@" in url and (seed or file):
        key = "nats_nkey_file" if seed else "nats_credentials_file"
        yield (key,), "is beside a user or token in nats_url: keep one of them"
    for one, other in (("nats_cert_file", "nats_key_file"), ("nats_key_file", "nats_cert_file")):
        if data.get(one) and not data.get(other):
            yield (one,), f"is of no use without {other}"


def _part(data: Any, key: str) -> Mapping[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _items(data: Any, key: str) -> Iterator[tuple[int, Any]]:
    value = data.get(key) if isinstance(data, dict) else None
    yield from enumerate(value if isinstance(value, list) else ())


def _texts(data: Any, key: str) -> Iterator[tuple[int, str]]:
    yield from ((index, item) for index, item in _items(data, key) if isinstance(item, str))


def _id(project: Mapping[str, Any]) -> str:
    given, name = project.get("project_id"), project.get("name")
    return (
        given
        if isinstance(given, str)
        else derive_project_id(name)
        if isinstance(name, str)
        else ""
    )


def _repeated(names: Iterable[tuple[Where, str]]) -> Iterator[tuple[Where, Where]]:
    """The places of names that stood before, with where that was."""
    first: dict[str, Where] = {}
    for where, name in names:
        if name in first:
            yield where, first[name]
        first.setdefault(name, where)


def _projects(data: Any) -> Iterator[Fault]:
    projects = [
        (index, project) for index, project in _items(data, "projects") if isinstance(project, dict)
    ]
    names = {
        ("projects", index, "name"): project["name"]
        for index, project in projects
        if _named(project, "name")
    }
    ids = {
        ("projects", index, _key_of_id(project)): _id(project)
        for index, project in projects
        if _id(project)
    }
    for where, first in _repeated(names.items()):
        yield where, f"{{value}} is the name of {shown(first[:2])} already"
    for where, first in _repeated(ids.items()):
        yield (
            where,
            (
                f"{{value}} gives the id of {shown(first[:2])} again: give one of them a "
                "`project_id` "
                "of its own"
            ),
        )
    both = {(project["name"], _id(project)) for _, project in projects if _named(project, "name")}
    for where, identity in ids.items():
        if identity in names.values() and (identity, identity) not in both:
            yield where, f"leads to the id `{identity}`, which is the name of another project"
    for index, project in projects:
        yield from _project(("projects", index), project)
        for where, words in sandbox_schema.faults(project, _part(data, "defaults")):
            yield ("projects", index, *where), words


def _key_of_id(project: Mapping[str, Any]) -> str:
    return "project_id" if "project_id" in project else "name"


def _project(here: Where, project: Mapping[str, Any]) -> Iterator[Fault]:
    name = project.get("name")
    if (
        isinstance(name, str)
        and name.strip()
        and "project_id" not in project
        and not ID_PATTERN.match(_id(project))
    ):
        yield (
            (*here, "name"),
            "{value} gives no project id: add `project_id` with letters and digits",
        )
    links = [
        ((*here, "symlinks", at, "target"), link["target"])
        for at, link in _items(project, "symlinks")
        if _named(link, "target")
    ]
    for where, first in _repeated(links):
        yield where, f"{{value}} is the target of {shown(first[-3:-1])} already"
    path = project.get("path")
    if project.get("ssh_config") and isinstance(path, str) and not path.startswith(("/", "~")):
        yield (*here, "path"), "{value} is relative: on a remote machine it must begin with / or ~"


def _named(item: Any, key: str) -> bool:
    return isinstance(item, dict) and isinstance(item.get(key), str)


def _notifiers(data: Any) -> Iterator[Fault]:
    named = [
        (("notifiers", index, "name"), item["name"])
        for index, item in _items(data, "notifiers")
        if _named(item, "name")
    ]
    for where, first in _repeated(named):
        yield where, f"{{value}} is the name of {shown(first[:2])} already"
    names = [*(name for _, name in named), *SELF_MADE]
    for index, name in _texts(data.get("defaults"), "notifiers"):
        yield from _unless(name, names, ("defaults", "notifiers", index))
    for index, project in _items(data, "projects"):
        here: Where = ("projects", index)
        for at, name in _texts(project, "notifiers"):
            yield from _unless(name, names, (*here, "notifiers", at))
        yield from _routing(project, here, names)
    yield from _routing(data, (), names)
    yield from _answers(data)


def _answers(data: Any) -> Iterator[Fault]:
    """Who wants questions answered by buttons, and has no channel that may have them."""
    if any(_takes_answers(channel) for _, channel in _items(data, "notifiers")):
        return
    for index, project in _items(data, "projects"):
        if _value(project, "answer") is True:
            yield ("projects", index, "answer"), _NOBODY_ANSWERS


def _takes_answers(channel: Any) -> bool:
    """Whether a channel can carry answers, and only to those who may give them; what one of
    somebody's own can is not known here.
    """
    plugin = _value(channel, "plugin")
    return plugin not in _SAYS_ONLY and (
        plugin != "ntfy" or bool(_part(channel, "config").get("token"))
    )


def _routing(owner: Any, where: Where, names: Sequence[str]) -> Iterator[Fault]:
    routes = _part(owner, "notification_routing")
    for key, route in routes.items():
        here = (*where, "notification_routing", key)
        for index, name in _texts(routes, key):
            yield from _unless(name, names, (*here, index))
        for index, name in _texts(route, "channels"):
            yield from _unless(name, names, (*here, "channels", index))


def _unless(name: str, names: Sequence[str], where: Where) -> Iterator[Fault]:
    if name not in names:
        yield where, f"{{value}} is not the name of one of `notifiers`: {hint(name, names)}"


def _ports(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Two servers cannot share a port; 0 is any that is free."""
    given: list[tuple[Where, str]] = [
        ((key,), str(data[key]))
        for key in ("port", "terminal_port", "direct_terminal_port")
        if key in data
    ]
    for where, first in _repeated(
        [(where, port) for where, port in given if port not in ("0", "None")]
    ):
        yield where, f"{{value}} is the port of `{shown(first)}` already"


def _budgets(data: Any) -> Iterator[Fault]:
    projects = [
        name
        for _, item in _items(data, "projects")
        if isinstance(item, dict)
        for name in (_id(item), item.get("name"))
    ]
    seen: dict[tuple[str, ...], Where] = {}
    for index, budget in _items(data, "budgets"):
        if not isinstance(budget, dict):
            continue
        scope, identity = budget.get("scope"), budget.get("id")
        if scope == "global" and identity is not None:
            yield ("budgets", index, "id"), "does not go with `scope: global`: remove it"
        if scope == "project" and isinstance(identity, str) and identity not in projects:
            yield ("budgets", index, "id"), "{value} is not the id or name of a project"
        if identity == EACH:
            yield ("budgets", index, "id"), "{value} stands for each of them: leave `id` out"
        if budget.get("limit_usd") is None and budget.get("limit_tokens") is None:
            yield ("budgets", index), "limits nothing: give limit_usd, limit_tokens or both"
        kind = tuple(map(repr, (scope, identity, budget.get("period", "total"))))
        first = seen.setdefault(kind, ("budgets", index))
        if first != ("budgets", index):
            yield ("budgets", index), f"limits the same as {shown(first)}: keep one"


def _prices(data: Any) -> Iterator[Fault]:
    """Of two for the same requests one would never count."""
    held = [
        (("prices", index, "model"), repr((price["model"], *_when(price))))
        for index, price in _items(data, "prices")
        if _named(price, "model")
    ]
    for where, first in _repeated(held):
        ways = "keep one of them, or give one another `since`, `above` or `tier`"
        yield where, f"{{value}} has its price in {shown(first[:2])} already: {ways}"


def _when(price: Mapping[str, Any]) -> Iterator[str]:
    """For which requests a price holds; what is left out is as nothing."""
    yield from (str(price.get(key) or "") for key in ("since", "above", "tier"))


def _plugins(data: Any, known: Known) -> Iterator[Fault]:
    for where, slot, name in _chosen(data):
        names = known.get(slot)
        if isinstance(name, str) and names is not None and name not in names:
            yield where, f"{{value}} is no {slot} plugin: {hint(name, offered(names))}"


def _chosen(data: Any) -> Iterator[tuple[Where, str, Any]]:
    """Every place where a plugin is named, with its slot."""
    owners: list[tuple[Where, Any]] = [(("defaults",), data.get("defaults"))]
    owners += [(("projects", index), project) for index, project in _items(data, "projects")]
    for where, owner in owners:
        for slot in ("runtime", "agent", "workspace", "predictor"):
            yield (*where, slot), slot, _value(owner, slot)
        for slot in ("tracker", "scm"):
            yield (
                (*where, f"{slot}_config", "plugin"),
                slot,
                _part(owner, f"{slot}_config").get("plugin"),
            )
    for index, notifier in _items(data, "notifiers"):
        yield ("notifiers", index, "plugin"), "notifier", _value(notifier, "plugin")


def _value(owner: Any, key: str) -> Any:
    return owner.get(key) if isinstance(owner, dict) else None
