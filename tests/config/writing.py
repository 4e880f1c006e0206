"""Configuration files for tests: written to disk, read back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from ennio.config.load import check, load
from ennio.config.model import Config

ENVIRON: Mapping[str, str] = {
    "HOME": "/home/someone",
    "ENNIO_API_TOKEN": "token-of-the-api",
    "GITHUB_TOKEN": "ghp_token-of-github",
    "SCORE_WEBHOOK_SECRET": "secret-of-the-webhook",
    "LINEAR_API_KEY": "lin_api_key-of-linear",
    "SLACK_WEBHOOK": "https://hooks.example.com/services/secret-a",
    "SLACK_WEBHOOK_URL": "https://hooks.example.com/services/secret-b",
    "NTFY_TOPIC": "a-topic-nobody-guesses",
    "NTFY_TOKEN": "tk_of-the-topic",
    "OPS_HOOK_URL": "https://hooks.example.com/secret-c",
    "OPS_HOOK_SECRET": "secret-of-the-hook",
    "SSH_PASSPHRASE": "passphrase-of-the-key",
    "SSH_PASSWORD": "password-of-the-host",
    "ENNIO_NODE_TOKEN": "token-of-the-node",
    "NODE_AUTH_TOKEN": "token-of-another-node",
}
PROJECT = "projects:\n  - name: app\n    repo: https://example.com/app.git\n    path: /srv/app\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "ennio.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def loaded(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> Config:
    return load(write(folder, text), environ)


def problems(
    folder: Path,
    text: str,
    environ: Mapping[str, str] = ENVIRON,
    known: Mapping[str, tuple[str, ...]] | None = None,
) -> list[str]:
    return [str(problem) for problem in check(write(folder, text), environ, known)]
