"""What agents, hooks, checks and terminals inherit of the supervisor's environment: one list, with
reasons. All else may be a secret.

A name is here when a tool does not find its files, its network or its person without it. No value
of one is a secret by its meaning; an address of a proxy may hold a password, and is passed all the
same, since nothing works without it.
"""

from __future__ import annotations

from collections.abc import Mapping

_REASONS: Mapping[str, str] = {
    "who it runs as, and where programs are": "PATH HOME USER LOGNAME SHELL",
    "how text and times are written": (
        "LANG LANGUAGE LC_ALL LC_CTYPE LC_MESSAGES LC_COLLATE LC_NUMERIC LC_TIME LC_MONETARY "
        "LOCALE_ARCHIVE TZ"
    ),
    "where temporary files go": "TMPDIR TMP TEMP",
    "where programs keep their files; git's and the agents' settings are among them": (
        "XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME XDG_DATA_DIRS XDG_STATE_HOME "
        "XDG_CACHE_HOME XDG_RUNTIME_DIR TERMINFO TERMINFO_DIRS"
    ),
    "who signs and logs in, without a key in any variable": "SSH_AUTH_SOCK SSH_AGENT_PID "
    "GNUPGHOME KRB5CCNAME",
    "how git reaches a server": "GIT_SSH GIT_SSH_COMMAND GIT_SSH_VARIANT GIT_SSL_CAINFO "
    "GIT_SSL_CAPATH "
    "GIT_PROXY_SSL_CAINFO",
    "which settings git reads, and in whose name it commits": (
        "GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM GIT_ATTR_NOSYSTEM "
        "GIT_LFS_SKIP_SMUDGE"
        " GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL EMAIL"
    ),
    "the way out of this network; curl reads small letters only": (
        "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY FTP_PROXY http_proxy https_proxy all_proxy "
        "no_proxy ftp_proxy"
    ),
    "whose certificates are trusted": (
        "SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS "
        "NIX_SSL_CERT_FILE AWS_CA_BUNDLE PIP_CERT"
        " CARGO_HTTP_CAINFO"
    ),
    "where tool chains lie that the PATH alone does not tell": (
        "JAVA_HOME CARGO_HOME RUSTUP_HOME GOPATH GOMODCACHE PYENV_ROOT NVM_DIR VOLTA_HOME "
        "ASDF_DIR ASDF_DATA_DIR MISE_DATA_DIR PNPM_HOME"
    ),
}
NAMES: frozenset[str] = frozenset(name for names in _REASONS.values() for name in names.split())


def inherited(source: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that is on the list."""
    return {name: value for name, value in source.items() if name in NAMES}
