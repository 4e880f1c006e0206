"""Print completion for a shell, made from the commands themselves.

Sessions, projects and pull requests are completed too, while the supervisor runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser
    from ennio.http.client import ApiClient

EXAMPLES = """\
  ennio completion bash > ~/.local/share/bash-completion/completions/ennio
  ennio completion zsh > ~/.zfunc/_ennio
  ennio completion fish > ~/.config/fish/completions/ennio.fish
"""

BASH = """\
# bash completion for ennio
_ennio() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" path="" i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "${{COMP_WORDS[i]}}" in -*) ;; *) path="$path ${{COMP_WORDS[i]}}" ;; esac
    done
    local words
    case "$path" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _ennio ennio
"""
ZSH = """\
#compdef ennio
autoload -U +X bashcompinit && bashcompinit
{bash}
"""


def _sessions(client: ApiClient) -> list[str]:
    return [str(session["id"]) for session in client.get("/sessions", view="row")]


def _projects(client: ApiClient) -> list[str]:
    return [str(project["id"]) for project in client.get("/projects")]


def _pulls(client: ApiClient) -> list[str]:
    """As they are named everywhere, and the sessions that stand for them."""
    rows = client.get("/sessions", view="row")
    pulls = [row for row in rows if row.get("pr_number")]
    names = [f"{row['project_id']}#{row['pr_number']}" for row in pulls]
    return [*names, *(str(row["id"]) for row in pulls)]


_KNOWN: Mapping[str, Callable[[ApiClient], list[str]]] = {
    "sessions": _sessions,
    "projects": _projects,
    "pulls": _pulls,
}
_OF_ARGUMENT = {"session": "sessions", "project": "projects", "pull": "pulls"}


def configure(parser: Parser) -> None:
    """Which shell."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parser.add_argument(
        "--known", choices=tuple(_KNOWN), help="only the names of these, as the script asks"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """The script for that shell, or the names it asks for."""
    if options.known:
        names = _KNOWN[options.known](context.client())
        return CommandResult(names, names)
    known = words()
    script = {"bash": bash, "zsh": lambda tree: ZSH.format(bash=bash(tree)), "fish": fish}[
        options.shell
    ](known)
    return CommandResult({"shell": options.shell, "script": script}, script.rstrip().splitlines())


def words() -> dict[str, dict[str, str]]:
    """What can follow each path of commands (``""``, ``session``, ``session
    info``): the word and its help.
    """
    from ennio.cli.parser import VERBS

    tree = {"": dict(VERBS)}
    for path, parser in parsers():
        tree[path] = {
            word: summary for action in _actions(parser) for word, summary in _words_of(action)
        }
    return tree


def named() -> dict[str, str]:
    """For each path of commands whose first argument is the name of something, of what."""
    found: dict[str, str] = {}
    for path, parser in parsers():
        free = (action for action in _actions(parser) if not action.option_strings)
        first = next(free, None)
        if first is not None and first.dest in _OF_ARGUMENT:
            found[path] = _OF_ARGUMENT[first.dest]
    return found


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parser of each path of commands: of ``session``, of ``session info``."""
    from ennio.cli.parser import VERBS, verb_parser

    for verb in VERBS:
        yield from _below(verb, verb_parser(verb))


def _below(
    path: str, parser: argparse.ArgumentParser
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield path, parser
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, sub in action.choices.items():
                yield from _below(f"{path} {name}", sub)


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no public way to read a parser


def _words_of(action: argparse.Action) -> Iterator[tuple[str, str]]:
    if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
        yield from ((name, sub.description or "") for name, sub in action.choices.items())
    else:
        for word in (*action.option_strings, *(action.choices or ())):
            yield word, action.help or ""


def bash(tree: dict[str, dict[str, str]]) -> str:
    """Completion for bash."""
    # the longest path first: its words hold for whatever arguments follow it
    ordered, names = sorted(tree, key=lambda path: -len(path.split())), named()
    cases = "\n".join(
        f'        "{" " + path if path else ""}"*) words="{" ".join(tree[path])}'
        f'{" " + _asked(names[path], "bash") if path in names else ""}" ;;'
        for path in ordered
    )
    return BASH.format(cases=cases)


def fish(tree: dict[str, dict[str, str]]) -> str:
    """Completion for fish."""
    lines = ["# fish completion for ennio"]
    for path, following in tree.items():
        lines += [
            f"complete -c ennio -n '{_guard(path)}' {_flag(word)} -d '{_quoted(summary)}'"
            for word, summary in following.items()
        ]
    lines += [
        f"complete -c ennio -n '{_guard(path)}' -f -a '{_asked(kind, 'fish')[1:]}'"
        for path, kind in named().items()
    ]
    return "\n".join(lines) + "\n"


def _asked(kind: str, shell: str) -> str:
    return f"$(ennio completion {shell} --known {kind} 2>/dev/null)"


def _guard(path: str) -> str:
    seen = [f"__fish_seen_subcommand_from {word}" for word in path.split()]
    return " && ".join(seen) or "__fish_use_subcommand"


def _flag(word: str) -> str:
    if word.startswith("--"):
        return f"-l {word[2:]}"
    return f"-s {word[1:]}" if word.startswith("-") else f"-a {word}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
