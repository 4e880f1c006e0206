"""Whether a machine is the one that is known."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ennio.machine.ssh import known_hosts
from ennio.machine.ssh.errors import LoginRefused
from ennio.machine.ssh.known_hosts import KnownKey
from ennio.machine.ssh.target import KnownHosts

_OF_ALL = Path("/etc/ssh/ssh_known_hosts")


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """What is believed of one host: ``name`` as files call it, ``login`` as ``ssh`` takes it, and
    ``by_hand`` the same with the file in which a key that a person takes is looked for here.
    """

    name: str
    login: str
    policy: KnownHosts
    file: Path
    hashed: bool = False
    by_hand: str = ""

    def kinds(self) -> tuple[str, ...]:
        """Which kinds of key the host is known by; it is asked for these first."""
        if self.policy is KnownHosts.ACCEPT_ALL:
            return ()
        return tuple(dict.fromkeys(known.kind for known in self._known() if not known.revoked))

    def check(self, kind: str, key: str) -> None:
        """Believe the key that a host has shown, and know it from now on where that is the
        policy. Raises LoginRefused.
        """
        if self.policy is KnownHosts.ACCEPT_ALL:
            return
        known = self._known()
        same = [one for one in known if one.key == key]
        if any(one.revoked for one in same):
            raise LoginRefused(self._words(kind, key, "was revoked", same[0]))
        if same:
            return
        if valid := [one for one in known if not one.revoked]:
            other = next((one for one in valid if one.kind == kind), valid[0])
            raise self._changed(kind, key, other)
        self._meet(kind, key)

    def _known(self) -> Sequence[KnownKey]:
        try:
            return [
                one
                for file in dict.fromkeys((self.file, _OF_ALL))
                for one in known_hosts.known_keys(file, self.name)
            ]
        except (OSError, ValueError) as error:
            raise LoginRefused(f"{self.file} cannot be read: {error}") from error

    def _meet(self, kind: str, key: str) -> None:
        print_ = known_hosts.fingerprint(key)
        by_hand = self.by_hand or self.login
        if self.policy is KnownHosts.STRICT:
            raise LoginRefused(
                f"{self.name} is not known yet: it shows {kind} {print_}, and {self.file} has no "
                f"line for it. Connect once by hand ({by_hand}) and compare the key, or set "
                "host_key_policy: accept_new",
                mended_by=f"{by_hand} true",
            )
        hashed = self.hashed or known_hosts.is_hashed(self.file)
        try:
            known_hosts.add(self.file, self.name, kind, key, hashed=hashed)
        except OSError as error:
            raise LoginRefused(
                f"the new key of {self.name} ({kind} {print_}) cannot be kept in {self.file}: "
                f"{error.strerror}. Make it writable, or name another file in known_hosts_path"
            ) from error

    def _changed(self, kind: str, key: str, known: KnownKey) -> LoginRefused:
        mended = f"ssh-keygen -R {shlex.quote(self.name)} -f {shlex.quote(str(known.file))}"
        return LoginRefused(
            f"{self._words(kind, key, 'is not the one that is known', known)}: either the machine "
            f"was set up anew, or somebody stands in between. If you know why it changed: {mended}",
            mended_by=f"{mended}  (if you know why it changed)",
        )

    def _words(self, kind: str, key: str, what: str, known: KnownKey) -> str:
        print_ = known_hosts.fingerprint(key)
        return (
            f"the host key of {self.name}, {kind} {print_}, {what} "
            f"({known.file}, line {known.line})"
        )
