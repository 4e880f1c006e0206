"""Open the supervisor's web page: the link logs the browser in once, and holds for a short time."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ennio.cli.command_result import CommandResult

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.cli.parser import Parser

EXAMPLES = """\
  ennio dashboard
  ennio dashboard --print
  ennio dashboard --port 8080    # when the port is forwarded from another machine
"""


def configure(parser: Parser) -> None:
    """Where, and whether to open it."""
    parser.add_argument(
        "--port", type=int, help="another port than the supervisor's own, where it is forwarded"
    )
    parser.add_argument(
        "--print", action="store_true", dest="printed", help="print the link, open nothing"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: CliContext) -> CommandResult:
    """Get a one-time code and open the link."""
    from urllib.parse import urlsplit

    client = context.client()
    code = client.post("/auth/code")["code"]
    parts = urlsplit(client.url)
    netloc = f"{parts.hostname}:{options.port}" if options.port else parts.netloc
    url = f"{parts.scheme}://{netloc}/auth?code={code}"
    if not (options.printed or context.json or not context.interactive):
        import webbrowser

        webbrowser.open(url)
    return CommandResult({"url": url}, [url])
