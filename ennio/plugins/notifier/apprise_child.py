"""Run as a program: tells one thing by Apprise. All it is told stands on standard input, and it
says nothing, for a URL may be a secret: its exit code is 3 for not told, 4 for not understood.
"""

from __future__ import annotations

import json
import logging
import sys


def main() -> int:
    """Tell it; without a body only look whether the URL is understood."""
    import apprise  # noqa: PLC0415 - an extra, and slow to load

    logging.disable(logging.CRITICAL)
    given = json.load(sys.stdin)
    teller = apprise.Apprise()
    if not teller.add(given["url"]):
        return 4
    if "body" not in given:
        return 0
    told = teller.notify(body=given["body"], title=given["title"], notify_type=given["type"])
    return 0 if told else 3


if __name__ == "__main__":
    sys.exit(main())
