"""Where links lead a browser as long as the dashboard is not built: a plain page that names the
commands which build it, and those which show the same.

It says nothing that is not in the link itself, so nobody needs a token for it; no script, nothing
loaded, every word escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import falcon

from ennio.machine.installation import checkout

BUILD = ("npm --prefix dashboard ci", "npm --prefix dashboard run build")
"""What builds it in a checkout; ``ennio dashboard`` does both by itself."""
WITHOUT = "this installation came without the dashboard; it has it when it is made where npm is"

_BUILD = """<p>The dashboard is not built here. In the folder of Ennio, where npm is:</p>
<ul>
{commands}
</ul>
<p>Then load this page again.</p>"""
_SESSION = re.compile(r"/s/(?P<id>[A-Za-z0-9_-]{1,128})(?:/(?P<tab>terminal|pr))?\Z")
_PROJECT = re.compile(r"/p/(?P<id>[A-Za-z0-9_-]{1,128})\Z")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_HTML = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}
code,kbd{{font:1rem ui-monospace,monospace}}</style>
<h1>{title}</h1>
{build}
<p>Without it, in a terminal on the machine where Ennio runs:</p>
<ul>
{items}
</ul>
"""


def page_of(req: falcon.Request) -> str | None:
    """What is shown instead of an error to a browser that followed a link; None to anybody else."""
    accepts = req.get_header("Accept") or ""
    if req.method not in ("GET", "HEAD") or "text/html" not in accepts:
        return None
    if req.path == "/":
        return _page("Ennio", (("ennio status", "who works, and who needs somebody"),
                               ("ennio notices", "what people were told")))  # fmt: skip
    if (session := _SESSION.match(req.path)) is not None:
        return _page(f"Session {session['id']}", _of_session(session["id"], session["tab"]))
    if (project := _PROJECT.match(req.path)) is not None:
        return _page(
            f"Project {project['id']}", ((f"ennio session list {project['id']}", "its sessions"),)
        )
    return None


def show(resp: falcon.Response, page: str, status: int) -> None:
    """Answer with a page."""
    resp.status = status
    resp.content_type = "text/html; charset=utf-8"
    resp.stream = None
    resp.data = page.encode()
    resp.set_header("Content-Security-Policy", _POLICY)
    resp.set_header("Referrer-Policy", "no-referrer")


def _of_session(session_id: str, tab: str | None) -> Sequence[tuple[str, str]]:
    """Commands with what they do; first those that the notice was about."""
    info = (f"ennio session info {session_id}", "what it does, and what became of it")
    terminal = (f"ennio open {session_id}", "its terminal")
    if tab == "pr":
        return (f"ennio pr show {session_id}", "its pull request"), info, terminal
    answer = (f"ennio answer {session_id} TEXT", "answers the question it asks")
    return (terminal, answer, info) if tab == "terminal" else (info, terminal, answer)


def _page(title: str, commands: Sequence[tuple[str, str]]) -> str:
    items = "\n".join(
        f"<li><code>{escape(command)}</code>: {escape(about)}</li>" for command, about in commands
    )
    return _HTML.format(title=escape(title), items=items, build=_how_to_build())


def _how_to_build() -> str:
    if checkout() is None:
        return f"<p>{escape(WITHOUT[0].upper() + WITHOUT[1:])}.</p>"
    commands = "\n".join(f"<li><kbd>{escape(command)}</kbd></li>" for command in BUILD)
    return _BUILD.format(commands=commands)
