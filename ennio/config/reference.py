"""The tables of the configuration reference, made from the shapes that read the file.

``python -m ennio.config.reference`` prints the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ennio.config import reactions
from ennio.config.model import Reaction
from ennio.config.quantity import shown_seconds
from ennio.config.schema import SHAPES, PluginChoiceShape
from ennio.config.shapes import Entry, Many, Part, Shape, Table

INTRODUCTION = """\
# Configuration reference

Ennio reads one file. It is called `ennio.yaml`, `ennio.yml`, `.ennio.yaml` or `.ennio.yml` and is looked for in the
current folder and every folder above it; `--config FILE` names another. `ennio init` writes one, `ennio config check`
tells everything that is wrong with it, `ennio config show` prints what holds after all defaults, without secrets, and
`ennio config schema` prints a JSON Schema for your editor.

- Only `name`, `repo` and `path` of each project are required.
- `${VAR}` in any value is the environment variable VAR, `${VAR:-text}` the same with a default (also for an empty
  variable); a variable that is not set is an error. `$${` is a literal `${`. `$VAR` without braces is left alone.
- No secret is put where others see it: a variable that is one by its name (`NPM_TOKEN`, `..._SECRET`, `..._PASSWORD`, `..._API_KEY`)
  is refused in commands (`post_create`, `run`, `passthrough`, `permissions`) and in words for agents (`prompt`, `agent_rules`, `message`),
  and so is a password in `repo`. Give it to the project by `env: {NPM_TOKEN: "${NPM_TOKEN}"}`; a shell then knows it as `$NPM_TOKEN`.
- Durations are a number with `ms`, `s`, `m`, `h` or `d` behind it; a bare number is seconds (`ready_threshold`: milliseconds).
- Sizes are a number of bytes, or with `KiB`, `MiB`, `GiB`, `TiB`, `kB`, `MB`, `GB`, `TB` behind it.
- `~` is your home. Relative paths, also the one in `database_url`, are relative to the file, not to the folder you are in.
- Unknown keys are errors. Text that YAML would read as something else (`no`, `0777`, `12:30`, `2026-01-01`) must be in quotes.
- A value in the file wins over `NATS_URL` and `DATABASE_URL`, which count where the file says nothing.

A plugin's name is one of those shipped or one that an installed distribution brings (entry point group `ennio.<slot>`).
"""


TRACKERS = """\
The settings of each plugin are on its page: [GitHub](github.md), [Linear](linear.md). Every shipped tracker takes
these two:

| Key | Value | Default | Meaning |
|---|---|---|---|
| `comment` | list of `spawned`, `pull_opened`, `merged`, `closed`, `killed`; `true`: all | none | What it gets a comment for |
| `close_on_merge` | true or false | `false` | Close the issue when its pull request is merged |

The local tracker (`plugin: local`) takes `path` too: the folder of issues, `issues` without it.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    sections = ["\n".join(_section(shape)) + _remark(shape) for shape in SHAPES]
    return "\n".join([INTRODUCTION, *sections, "\n".join(_reactions())])


def _section(shape: type[Shape]) -> Iterator[str]:
    document = (shape.__doc__ or "").strip()
    yield f"## {document.replace('``', '`').rstrip('.')}\n"
    yield "| Key | Value | Default | Meaning |\n|---|---|---|---|"
    defaults = shape.model_defaults()
    for key, name, entry in shape.entries():
        yield f"| `{key}` | {_kind(entry)} | {_default(entry, defaults.get(name))} | {entry.about} |"
    yield ""


def _remark(shape: type[Shape]) -> str:
    """What stands below a table."""
    return f"\n{TRACKERS}" if shape is PluginChoiceShape else ""


def _kind(entry: Entry[object]) -> str:
    match entry:
        case Part():
            return f"[{entry.shape.makes.__name__}](#{_anchor(entry.shape)})"
        case Many(each=each):
            return f"list of {_kind(each)}"
        case Table(each=each):
            return f"mapping to {_kind(each)}"
    return entry.kind


def _anchor(shape: type[Shape]) -> str:
    words = (shape.__doc__ or "").strip().rstrip(".").lower()
    return "".join(letter for letter in words if letter.isalnum() or letter in " _-").replace(" ", "-")


def _default(entry: Entry[object], value: object) -> str:
    if entry.required:
        return "**required**"
    if entry.shown:
        return entry.shown
    return "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


_EPISODES = """\
An episode of `ci-failed`, `changes-requested` or `bugbot-comments` is over when its condition has been gone for five minutes; the
others are over as soon as theirs is. `retries` and `escalate_after` count within an episode. A new head with new comments on it
is a new round, in which both begin anew; after `rounds` of them a person is called, and the agent is told no more until the
episode is over. A comment that is edited after it was told is told once more as edited, on each head.
"""


def _reactions() -> Iterator[str]:
    yield "## Built-in rules\n\nA project's field wins over the global one, which wins over what is built in.\n"
    yield _EPISODES
    yield "| Key | Fires when | Action | Retries | Rounds | Escalates after | Priority |\n|---|---|---|---|---|---|---|"
    for key, rule in reactions.BUILT_IN.items():
        counts = f"{rule.retries} | {rule.rounds or ''}"
        yield f"| `{key}` | {_trigger(key, rule)} | `{rule.action}` | {counts} | {_after(rule)} | {rule.priority} |"
    yield ""


def _trigger(key: str, rule: Reaction) -> str:
    return reactions.TRIGGERS[key] + (f" ({shown_seconds(rule.threshold)})" if rule.threshold else "")


def _after(rule: Reaction) -> str:
    return shown_seconds(rule.escalate_after) if rule.escalate_after else ""


if __name__ == "__main__":
    print(reference(), end="")
