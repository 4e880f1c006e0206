"""The story of the demo, watched on the page to its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.conftest import eventually
from tests.dashboard.browsing import Guard
from tests.dashboard.conftest import Shot
from tests.e2e.house import ROOT


def test_the_demo_is_watched_to_its_merges_on_the_page(
    browser: Browser, tmp_path: Path, shot: Shot
) -> None:
    told = tmp_path / "link"
    # what `webbrowser` starts instead of a browser: it keeps the link for ours
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {told}.new && mv {told}.new {told}\n')
    opener.chmod(0o755)
    environment = {**os.environ, "BROWSER": f"{opener} %s", "TMPDIR": str(tmp_path)}
    demo = subprocess.Popen(
        (sys.executable, "-m", "ennio.cli", "demo", "--open", "--json", "--speed", "6"),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        eventually(told.exists, 30, "the demo opened a browser")
        link = told.read_text().strip()
        guard = Guard(link.partition("/auth")[0])
        context = browser.new_context()
        guard.over(context)
        page = context.new_page()
        page.goto(link)
        for title in ("Write a file greeting.txt", "Add the line"):
            merged = page.locator("[data-zone=over] [data-session]", has_text=title)
            expect(merged).to_contain_text(re.compile("merged|done"), timeout=60_000)
        shot(page, "merged")
        context.close()
        guard.judge()
        assert demo.poll() is None, "it is seen while it happens"
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(60)
