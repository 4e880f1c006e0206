"""Only what really lies in a working copy is shown, as what it is: with every way out that there is
into the rest of the machine.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from ennio.hosts.named_files import named_content, named_files
from ennio.machine.local import LocalMachine
from ennio.model.errors import NotFound, Refused
from ennio.model.review_pack import NamedKind

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
MACHINE = LocalMachine()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    root = tmp_path / "copy"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "config").write_text("[secret]")
    (root / "shots").mkdir()
    (root / "shots" / "a.png").write_bytes(PNG)
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.mark.parametrize(
    ("name", "content", "kind", "media"),
    [
        ("a.png", PNG, NamedKind.IMAGE, "image/png"),
        ("a.html", PNG, NamedKind.IMAGE, "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", NamedKind.IMAGE, "image/jpeg"),
        ("a.gif", b"GIF89a", NamedKind.IMAGE, "image/gif"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 ", NamedKind.IMAGE, "image/webp"),
        ("a.html", b"<script>alert(1)</script>", NamedKind.TEXT, "text/plain; charset=utf-8"),
        ("a.png", b"<svg onload='alert(1)'/>", NamedKind.TEXT, "text/plain; charset=utf-8"),
        ("a.md", "ü".encode() * 5000, NamedKind.TEXT, "text/plain; charset=utf-8"),
        ("a.txt", b"\xff\xfe\xfa", NamedKind.OTHER, "application/octet-stream"),
        ("a.bin", b"a\0b", NamedKind.OTHER, "application/octet-stream"),
        ("empty", b"", NamedKind.TEXT, "text/plain; charset=utf-8"),
    ],
)
def test_what_a_file_is_is_told_by_what_is_in_it(
    copy: Path, name: str, content: bytes, kind: NamedKind, media: str
) -> None:
    (copy / name).write_bytes(content)
    (found,) = named_files(MACHINE, copy, [name])
    assert (found.kind, found.media, found.size) == (kind, media, len(content))
    whole = named_content(MACHINE, copy, name)
    assert base64.b64decode(whole.content) == content
    assert whole.file == found


def _reason(copy: Path, path: str) -> str:
    (found,) = named_files(MACHINE, copy, [path])
    with pytest.raises((Refused, NotFound)) as error:
        named_content(MACHINE, copy, path)
    assert str(error.value) == found.refused
    assert (found.media, found.size) == ("", None)
    return found.refused


def test_a_path_out_of_the_working_copy_is_refused(copy: Path) -> None:
    for path in ("../secret.txt", str(copy.parent / "secret.txt"), "shots/../../secret.txt"):
        assert "out of the session's working copy" in _reason(copy, path)
    assert "no path" in _reason(copy, "a\0b")


def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_not(copy: Path) -> None:
    (copy / "link.txt").symlink_to(copy.parent / "secret.txt")
    (copy / "up").symlink_to(copy.parent)
    (copy / "same.png").symlink_to("shots/a.png")
    assert "leads out" in _reason(copy, "link.txt")
    assert "leads out" in _reason(copy, "up/secret.txt")
    assert named_content(MACHINE, copy, "same.png").file.path == "shots/a.png"


def test_what_is_no_plain_file_is_refused_and_not_waited_for(copy: Path) -> None:
    os.mkfifo(copy / "pipe.png")
    assert "no plain file" in _reason(copy, "pipe.png")
    assert "a folder" in _reason(copy, "shots")
    assert "belongs to git" in _reason(copy, ".git/config")
    assert "there is no such file" in _reason(copy, "nothing.png")
    assert "there is no such file" in _reason(copy, "shots/a.png/b.png")


def test_a_file_of_a_gigabyte_is_refused_and_not_read(copy: Path) -> None:
    with (copy / "big.png").open("wb") as file:
        file.truncate(1 << 30)
    assert _reason(copy, "big.png") == "big.png: it has 1024 MiB, more than the 10 that are shown"


def test_a_file_that_is_swapped_for_another_while_it_is_read_is_refused(copy: Path) -> None:
    class Swapping(LocalMachine):
        def read(self, wanted):  # type: ignore[no-untyped-def]
            part = super().read(wanted)
            (copy / "shots" / "a.png").unlink()
            (copy / "shots" / "a.png").symlink_to(copy.parent / "secret.txt")
            return part

    with pytest.raises(Refused, match="leads out"):
        named_content(Swapping(), copy, "shots/a.png")
