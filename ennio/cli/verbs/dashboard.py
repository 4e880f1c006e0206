"""Open the dashboard, logged in; the link holds for one visit within a minute."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult
from ennio.model.errors import Invalid, Refused

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio dashboard
  ennio dashboard /s/ma-1a2b3c4d/pr
  ennio dashboard --print
  ennio dashboard --port 8080    # when the port is forwarded from another machine
  ennio dashboard --qr           # for a phone, where public_url leads here
"""


def configure(parser: Parser) -> None:
    """Which page, where, and how it is opened."""
    parser.add_argument("page", nargs="?", default="/", help="its path, as links show it: /s/ma-1")
    parser.add_argument(
        "--port", type=_port, help="another port than the supervisor's own, where it is forwarded"
    )
    parser.add_argument(
        "--print", action="store_true", dest="printed", help="print the link, open nothing"
    )
    parser.add_argument(
        "--qr", action="store_true", help="draw the link for a camera, open nothing"
    )
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: write a number from 1 to 65535")
    return int(text)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Get a one-time code and open the link; in a checkout the page is built first."""
    from ennio.cli import dashboard_build

    page = _page(options.page)
    client = context.client()
    if dashboard_build.WANTED and not context.json:
        dashboard_build.build_for_a_person(context.note)
    code = client.post("/auth/code")["code"]
    url = f"{_base(options, context, client.url)}/auth?code={code}{page}"
    lines = [url]
    if options.qr:
        lines += [*_drawn(url), "for one visit within a minute"]
    elif not (options.printed or context.json or not context.interactive):
        import webbrowser

        webbrowser.open(url)
    return CommandResult({"url": url}, lines)


def _page(given: str) -> str:
    """What leads on to a page, as part of the link; a whole address of one is understood too."""
    from urllib.parse import quote, urlsplit

    parts = urlsplit(given)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if given.startswith("//") or not path.startswith("/") or path.startswith("//"):
        raise Invalid(f"page: must be a path such as /s/my-session, not {given!r}")
    return "" if path == "/" else f"&next={quote(path, safe='')}"


def _base(options: argparse.Namespace, context: CliContext, url: str) -> str:
    """Where the browser is to go: a phone reaches us under the public address alone."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if options.port:
        return f"{parts.scheme}://{parts.hostname}:{options.port}"
    public = context.client().get("/config").get("public_url") if options.qr else None
    return str(public or url).rstrip("/")


def _drawn(url: str) -> list[str]:
    """The link as a QR code in half blocks, light on dark. Raises Refused without segno."""
    try:
        import segno
    except ImportError as error:
        from ennio.machine.installation import adding

        raise Refused(f"--qr needs segno: {adding('qr')}") from error
    rows = [list(row) for row in segno.make(url, error="l").matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    halves = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return [
        "".join(halves[bool(over), bool(under)] for over, under in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    ]
