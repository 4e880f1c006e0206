"""What docs/configuration.md says: every key of the file, and every setting of the shipped
plugins, from the schemas that read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ennio.config import trust_keys
from ennio.config.fields import ConfigField, ListField, MapField, MappingSchema, NestedField
from ennio.config.schema import SCHEMAS, PluginChoiceSchema
from ennio.config.schema_json import Plugins, nested
from ennio.config.trust_keys import Trust
from ennio.plugins.declared import all_shipped

INTRODUCTION = """\
# Configuration reference

Ennio reads one file. It is called `ennio.yaml`, `ennio.yml`, `.ennio.yaml` or `.ennio.yml` and is
looked for in the current folder and every folder above it; `--config FILE` names another. `ennio
init` writes one, `ennio config check` tells everything that is wrong with it, `ennio config show`
prints what holds after all defaults, without secrets (with `--sources` each value with its line,
its variable, the key it follows from, or `default`; so does `GET /api/v1/config?sources=1`), and
`ennio config schema` prints a JSON Schema for your editor.

- Only `name`, `repo` and `path` of each project are required.
- `${VAR}` in any value is the environment variable VAR, `${VAR:-text}` the same with a default
  (also for an empty variable); a variable that is not set is an error. `$${` is a literal `${`.
  `$VAR` without braces is left alone.
- No secret is put where others see it: a variable that is one by its name (`NPM_TOKEN`,
  `..._SECRET`, `..._PASSWORD`, `..._API_KEY`) is refused in commands (`post_create`, `run`,
  `passthrough`, `permissions`) and in words for agents (`prompt`, `agent_rules`, `message`), and so
  is a password in `repo`. Give it to the project by `env: {NPM_TOKEN: "${NPM_TOKEN}"}`; a shell
  then knows it as `$NPM_TOKEN`.
- Durations are a number with `ms`, `s`, `m`, `h` or `d` behind it; a bare number is seconds
  (`ready_threshold`: milliseconds).
- Sizes are a number of bytes, or with `KiB`, `MiB`, `GiB`, `TiB`, `kB`, `MB`, `GB`, `TB` behind it.
- `~` is your home. Relative paths, also the one in `database_url`, are relative to the file, not to
  the folder you are in.
- Keys that begin with `x-` are read by nobody: keep YAML anchors there (`x-rules: &rules [...]`).
  They may stand at the top of the file and in each project, and nowhere else; in a plugin's
  settings such a key is a setting.
- Unknown keys are errors. Text that YAML would read as something else (`no`, `0777`, `12:30`,
  `2026-01-01`) must be in quotes.
- A value in the file wins over `NATS_URL` and `DATABASE_URL`, which count where the file says
  nothing.

A file is used once it is trusted: see [what is part of trust](#what-is-part-of-trust).

A plugin's name is one of those shipped or one that an installed distribution brings (entry point
group `ennio.<slot>`).
"""


SETTINGS = """\
The settings of each shipped plugin stand [below](#settings-of-the-shipped-plugins), and with
examples on its page: [GitHub](github.md), [Linear](linear.md), [the local forge](local-forge.md). A
key without a value counts as left out.
"""
OF_PLUGINS = """\
## Settings of the shipped plugins

`ennio config check`, `doctor` and `start` read them like every other key, and the JSON Schema knows
them. A plugin of another distribution says itself what it takes, once the file is trusted.
"""
FLAGS = """\
### `agent_config.passthrough` of {agents}

Flags of the agent's own command line, by their names without dashes (`_` may stand for `-`): a
text, a number, `true` for the flag alone, a list for a flag that is repeated; `false` and null
leave it out. Refused are flags that Ennio sets itself, and secrets, which everybody could read on a
command line.

| Agent | Flags that Ennio sets itself |
|---|---|
"""


TRUST = """\
## What is part of trust

A file says which programs run, who is talked to and with which of your variables; whoever wrote it
decides that. So a file that was not seen before is shown and asked about once, by `ennio start` at
a terminal. Without a terminal, `start` ends with 5 and names the command:

- `ennio config trust` trusts the file as it is now; `--show` only shows what it demands, and what
  of that is new. `ennio config untrust` takes it back.
- `ennio start --trust` trusts the file as it is at that start, for a service:
  `ennio start --trust --config /etc/ennio/ennio.yaml`.
- `ENNIO_TRUSTED_CONFIG_PATHS=/etc/ennio:/srv/app` trusts whatever files lie there, for containers
  and tests. No file can set it.
- `ennio init` trusts what it writes. In a session, where an agent is, nothing can be
  trusted, by none of these.

Until then `doctor`, `config`, `status` and whatever else only looks run nothing the file names, and
send no token to anybody. What is kept, under `ENNIO_HOME/trust`, are digests of the keys below, as
they are written (a variable by its name), for the real path of the file. Any other change asks
nothing. One of these asks again and shows what is new; a supervisor that runs keeps the last good
file until it is trusted and `ennio reload` comes again. What a file names and does not hold, such
as a `Makefile` or a story, is trusted with the command that uses it.

A file that another account could have written is refused, trusted or not: one that belongs to
somebody else than you or root, that everybody or a group with other members can write, or that lies
in such a folder (unless that is sticky, as `/tmp` is). A private group, as with umask 002, is fine.

"""
_PLURAL = {
    Trust.RUNS: "What runs",
    Trust.TALKS: "Whom it talks to",
    Trust.OPENS: "Who is let in",
    Trust.REACHES: "What it reaches",
    Trust.GIVES: "What is handed on",
}


def page() -> str:
    """The whole page, as Markdown."""
    sections = ["\n".join(_section(schema)) + _remark(schema) for schema in SCHEMAS]
    settings = "\n".join([OF_PLUGINS, *_settings(all_shipped())])
    return "\n".join([INTRODUCTION, *sections, settings, TRUST + "\n".join(_trust())])


def _settings(plugins: Plugins) -> Iterator[str]:
    """A table for each plugin, and for each mapping within its settings; one for
    all agents that take flags.
    """
    for declared in plugins.values():
        if not isinstance(declared, MapField):
            for schema in (declared, *nested(declared)):
                yield "\n".join(_section(schema, "###"))
    flags = {
        name: declared for (_, name), declared in plugins.items() if isinstance(declared, MapField)
    }
    if flags:
        rows = [f"| `{name}` | {_reserved(declared)} |" for name, declared in flags.items()]
        yield FLAGS.format(agents=", ".join(f"`{name}`" for name in flags)) + "\n".join(rows) + "\n"


def _reserved(declared: MapField) -> str:
    return ", ".join(f"`{name}`" for name in getattr(declared.names, "reserved", ()))


def _trust() -> Iterator[str]:
    """The keys that are part of trust, by what they can do."""
    yield "| | Keys |\n|---|---|"
    plugins = {f"{name} ({slot})": keys for (slot, name), keys in trust_keys.PLUGINS.items()}
    for kind, words in _PLURAL.items():
        parts = []
        for owner, keys in {**trust_keys.SCHEMAS, **plugins}.items():
            named = ", ".join(f"`{key}`" for key, stated in keys.items() if stated is kind)
            parts += [f"{owner}: {named}"] if named else []
        yield f"| {words} | {'; '.join(parts)} |"
    yield (
        "\nAlso every setting of any other plugin, the flags in `passthrough` of an agent among "
        "them.\n"
    )


def _section(schema: type[MappingSchema], level: str = "##") -> Iterator[str]:
    document = (schema.__doc__ or "").strip()
    yield f"{level} {document.replace('``', '`').rstrip('.')}\n"
    if not schema.keys():
        yield "There is nothing to set.\n"
        return
    yield "| Key | Value | Default | Meaning |\n|---|---|---|---|"
    defaults = schema.model_defaults()
    for key, name, entry in schema.entries():
        yield (
            f"| `{key}` | {_kind(entry)} | {_default(entry, defaults.get(name))} | {entry.about} |"
        )
    yield ""


def _remark(schema: type[MappingSchema]) -> str:
    """What stands below a table."""
    return f"\n{SETTINGS}" if schema is PluginChoiceSchema else ""


def _kind(entry: ConfigField[object]) -> str:
    match entry:
        case NestedField():
            return f"[{entry.schema.makes.__name__}](#{_anchor(entry.schema)})"
        case ListField(each=each):
            return f"list of {_kind(each)}"
        case MapField(each=each):
            return f"mapping to {_kind(each)}"
    return entry.kind


def _anchor(schema: type[MappingSchema]) -> str:
    words = (schema.__doc__ or "").strip().rstrip(".").lower()
    return "".join(letter for letter in words if letter.isalnum() or letter in " _-").replace(
        " ", "-"
    )


def _default(entry: ConfigField[object], value: object) -> str:
    if entry.required:
        return "**required**"
    if entry.shown:
        return entry.shown
    return "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"
