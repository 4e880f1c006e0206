"""A house whose projects are on other machines: real sshds, with accounts and homes of their own,
that reach the project's hub on this machine over ssh.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.house import Ground, project
from tests.ssh.sshd import Account, Sshd

_GITCONFIG = "[user]\n  name = An Agent\n  email = agent@example.org\n[safe]\n  directory = *\n"


def run(account: Account, *words: str) -> str:
    """Run a command as the account, with nothing of ours in its environment."""
    env = {"HOME": str(account.home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    who: dict[str, Any] = dict(account.as_user)
    done = subprocess.run(
        words,
        cwd=account.home,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **who,
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


def reaches_us(server: Sshd, account: Account) -> str:
    """Let the account log in as us, who own the hub; how it calls us."""
    us = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    folder = account.folder(".ssh")
    shutil.copy(account.key, folder / "id_ed25519")
    shutil.copy(f"{account.key}.pub", folder / "id_ed25519.pub")
    (folder / "known_hosts").write_text(server.known_host)
    for path in folder.iterdir():
        path.chmod(0o600)
        account.own(path)
    folder.chmod(0o700)
    keys = server.folder / "keys" / us
    with keys.open("a") as known:
        known.write(Path(f"{account.key}.pub").read_text())
    keys.chmod(0o644)
    return f"ssh://{us}@{server.address}:{server.port}"


def far_project(
    server: Sshd, account: Account, name: str = "score", **settings: Any
) -> Callable[[Ground], dict[str, Any]]:
    """A project of a house on this sshd: its clone is made in the account's home."""

    def made(ground: Ground) -> dict[str, Any]:
        (account.home / ".gitconfig").write_text(_GITCONFIG)
        account.own(account.home / ".gitconfig")
        repo = f"{reaches_us(server, account)}{ground.hub}"
        run(account, "git", "clone", "-q", repo, "score")
        known = ground.root / f"known_hosts-{server.port}"
        known.write_text(server.known_host)
        ssh = {
            "host": server.address,
            "port": server.port,
            "username": account.name,
            "auth": {"type": "key", "path": str(account.key)},
            "known_hosts_path": str(known),
            "connection_timeout": "5s",
        }
        forge = {"hub": str(ground.hub), **settings.pop("forge", {})}
        scm = {"plugin": "local", "config": forge}
        far = {"repo": repo, "path": "~/score", "ssh_config": ssh, "scm_config": scm}
        own = project(ground, name, **far, **settings)
        del own["runtime"]
        return own

    return made
