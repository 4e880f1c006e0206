"""Print completion for a shell, made from the commands themselves."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

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


def configure(parser: Parser) -> None:
    """Which shell."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, _context: CliContext) -> CommandResult:
    """The script for that shell."""
    known = words()
    script = {"bash": bash, "zsh": lambda tree: ZSH.format(bash=bash(tree)), "fish": fish}[
        options.shell
    ](known)
    return CommandResult({"shell": options.shell, "script": script}, script.rstrip().splitlines())


def words() -> dict[str, dict[str, str]]:
    """What can follow each path of commands (``""``, ``session``, ``session
    info``): the word and its help.
    """
    from ennio.cli.parser import VERBS, verb_parser

    tree = {"": dict(VERBS)}
    for verb in VERBS:
        _collect(verb, verb_parser(verb), tree)
    return tree


def _collect(path: str, parser: argparse.ArgumentParser, tree: dict[str, dict[str, str]]) -> None:
    found: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to read a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, sub in action.choices.items():
                found[name] = sub.description or ""
                _collect(f"{path} {name}", sub, tree)
        else:
            found |= dict.fromkeys(
                [*action.option_strings, *(action.choices or ())], action.help or ""
            )
    tree[path] = found


def bash(tree: dict[str, dict[str, str]]) -> str:
    """Completion for bash."""
    # the longest path first: its words hold for whatever arguments follow it
    ordered = sorted(tree, key=lambda path: -len(path.split()))
    cases = "\n".join(
        f'        "{" " + path if path else ""}"*) words="{" ".join(tree[path])}" ;;'
        for path in ordered
    )
    return BASH.format(cases=cases)


def fish(tree: dict[str, dict[str, str]]) -> str:
    """Completion for fish."""
    lines = ["# fish completion for ennio"]
    for path, following in tree.items():
        seen = path.split()
        guard = (
            " && ".join(f"__fish_seen_subcommand_from {word}" for word in seen)
            or "__fish_use_subcommand"
        )
        for word, summary in following.items():
            flag = (
                f"-l {word[2:]}"
                if word.startswith("--")
                else f"-s {word[1:]}"
                if word.startswith("-")
                else f"-a {word}"
            )
            lines.append(f"complete -c ennio -n '{guard}' {flag} -d '{_quoted(summary)}'")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
