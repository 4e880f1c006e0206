"""The built dashboard: which files it has, and what a browser is told with each.

All of it is the same for everybody and holds nothing of what runs here: the page asks the API for
that, with a cookie. So its files need no token, and a link from elsewhere, with which a browser
sends no cookie, still leads to the page it names. The folder is looked at again when its index is
another one: a page that was built meanwhile is served without a restart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import falcon

BUILT = Path(__file__).with_name("dashboard") / "dist"
"""Where the build puts it (``dashboard/scripts/build.mjs``), and where the wheel has it."""
INDEX = "index.html"
ASSETS = "/assets/"
"""What lies below it has the hash of its content in its name, so it never changes."""

_API = "/api/"
"""No file of the page lies below it, so what is asked most often costs no look at the folder."""
_NO_PAGE = re.compile(r"/(api|auth|metrics|assets)(/|\Z)")
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Styles may be inline: a terminal and a diff set them as they draw. Scripts never are."""


@dataclass(frozen=True, slots=True)
class DashboardFile:
    """One file of it, and its twin that is packed already, if it has one."""

    path: Path
    packed: Path | None
    kind: str


class DashboardFiles:
    """What lies in the folder of the build; nothing of a request ever becomes a path."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder
        self._seen: int | None = None
        self._files: dict[str, DashboardFile] = {}

    @property
    def built(self) -> bool:
        """Whether there is a page; looked up again each time, since it may be built meanwhile."""
        try:
            seen = (self._folder / INDEX).stat().st_mtime_ns
        except OSError:
            return False
        if seen != self._seen:
            self._files, self._seen = _listed(self._folder), seen
        return True

    def find(self, req: falcon.Request) -> DashboardFile | None:
        """What answers this request; None where it is the API's, or nobody's."""
        if req.method not in ("GET", "HEAD") or req.path.startswith(_API) or not self.built:
            return None
        if (file := self._files.get(req.path)) is not None:
            return file
        wants_page = "text/html" in (req.get_header("Accept") or "")
        if not wants_page or _NO_PAGE.match(req.path):
            return None
        return self._files.get(f"/{INDEX}")


def give(req: falcon.Request, resp: falcon.Response, file: DashboardFile) -> None:
    """Answer with a file. Raises NotFound of Falcon when the build was replaced just now."""
    packs = file.packed is not None and "gzip" in (req.get_header("Accept-Encoding") or "")
    try:
        resp.data = (file.packed if packs and file.packed else file.path).read_bytes()
    except OSError as error:
        raise falcon.HTTPNotFound(description="the page was built anew; load it again") from error
    if packs:
        resp.set_header("Content-Encoding", "gzip")
    if file.packed is not None:
        resp.append_header("Vary", "Accept-Encoding")
    resp.content_type = file.kind
    lasts = file.path.parent.name == ASSETS.strip("/")
    resp.set_header("Cache-Control", "max-age=31536000, immutable" if lasts else "no-store")
    guard(req, resp)
    resp.complete = True


def guard(req: falcon.Request, resp: falcon.Response) -> None:
    """Tell the browser what the page may do: run our scripts, speak to us, and nothing else."""
    host = req.get_header("Host") or "localhost"  # one of our names: the gate has seen to that
    resp.set_header("Content-Security-Policy", _POLICY.format(host=host))
    resp.set_header("Cross-Origin-Opener-Policy", "same-origin")
    resp.set_header("Referrer-Policy", "no-referrer")


def _listed(folder: Path) -> dict[str, DashboardFile]:
    """By the path under which a browser asks for it; only kinds that a page is made of."""
    return {
        f"/{path.relative_to(folder).as_posix()}": DashboardFile(
            path, _packed(path), _KINDS[path.suffix]
        )
        for path in folder.rglob("*")
        if path.suffix in _KINDS and path.is_file()
    }


def _packed(path: Path) -> Path | None:
    twin = path.with_name(f"{path.name}.gz")
    return twin if twin.is_file() else None
