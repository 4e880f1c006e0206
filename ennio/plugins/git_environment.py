"""The environment of Ennio's own git: silent, in English, blind to the caller's
repository, and asking nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ennio.machine.inherited import NAMES
from ennio.machine.interface import Machine

# Whatever else begins with GIT_ points git to a repository, an index or a moment of the
# caller's, or makes it talk.
_PASSED = NAMES | {
    "GIT_CONFIG_COUNT",  # people configure containers with it
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",  # where a git of one's own has its parts
    # how it reaches a server
    "GIT_PROXY_COMMAND",
    "GIT_ALLOW_PROTOCOL",
    "GIT_PROTOCOL",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
    "GIT_SSL_VERSION",
    "GIT_SSL_CIPHER_LIST",
    "GIT_SSL_CERT_PASSWORD_PROTECTED",
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_HTTP_USER_AGENT",
    "GIT_HTTP_LOW_SPEED_LIMIT",
    "GIT_HTTP_LOW_SPEED_TIME",
    "GIT_LFS_SKIP_SMUDGE",
    "GIT_TRACE_CURL_NO_DATA",
}
_SETTING = re.compile(r"GIT_CONFIG_(KEY|VALUE)_\d+")
# What would open a window to ask a person who is not there. Keys and stored
# passwords need none of it.
_WINDOWS = frozenset({"DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS", "SUDO_ASKPASS"})
_ASKS_NOBODY = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",  # set and empty: neither core.askPass nor SSH_ASKPASS is looked for
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GCM_GUI_PROMPT": "0",
}
# A server that falls silent is left by git itself, also where it is asked in passing: by a checkout
# in a partial clone, say.
_ENDS = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "30"}
MARK = "ENNIO_GIT"
"""The variable that tells whose a git process is."""


def environment(
    machine: Machine, ceiling: Path, more: Mapping[str, str], mark: str
) -> dict[str, str]:
    """The environment of a git command, with more added to it; it looks for a repository below the
    ceiling alone.
    """
    return {
        **_ENDS,
        **{name: value for name, value in machine.environ.items() if _is_passed(name)},
        **_ASKS_NOBODY,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CEILING_DIRECTORIES": str(ceiling),
        MARK: mark,
        **more,
    }


def _is_passed(name: str) -> bool:
    if name.startswith("GIT_"):
        return name in _PASSED or _SETTING.fullmatch(name) is not None
    return name not in _WINDOWS
