"""What a service is told of the supervisor of one configuration file, whoever runs services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ennio.http.logfile import LOG
from ennio.machine.home import Home
from ennio.machine.inherited import inherited
from ennio.machine.installation import command
from ennio.model.errors import Refused

MARK = "Written by `ennio service install`"
"""What stands in every file of ours; one without it is another's, and left alone."""

_OURS = ("ENNIO_HOME", "ENNIO_TMUX_SOCKET", "ENNIO_TRUSTED_CONFIG_PATHS", "TMUX_TMPDIR")
_OF_A_LOGIN = frozenset(
    {"HOME", "USER", "LOGNAME", "SHELL", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "SSH_AGENT_PID"}
    | {"TMPDIR", "TMP", "TEMP", "TERMINFO", "TERMINFO_DIRS"}
)
"""What the manager of services sets by itself, or what ends with the login it is of."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The command and its environment; ``variables`` is a file (0600) of a person's own
    with those that no file of ours may hold.
    """

    instance: str
    config: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    variables: Path
    log: Path

    @classmethod
    def of(cls, config: Path, home: Home, environ: Mapping[str, str]) -> ServiceSpec:
        """That of a configuration file as it would run for whoever calls. Raises Refused where a
        path cannot be written down.
        """
        run = home.run(config)
        spec = cls(
            run.name,
            config.absolute(),
            (*command("ennio-supervisor"), "--config", str(config.absolute())),
            {**_lasting(environ), "ENNIO_HOME": str(home.root)},
            run / "service.env",
            run / LOG,
        )
        for word in (*spec.command, *spec.environment.values(), str(spec.log)):
            if not word.isprintable():
                raise Refused(f"{word!r} cannot be written into a service: it does not print")
        return spec


def _lasting(environ: Mapping[str, str]) -> dict[str, str]:
    """What still holds after the next login, and is no secret: a proxy's address may be one."""
    kept = inherited(environ) | {name: environ[name] for name in _OURS if name in environ}
    return {
        name: value
        for name, value in sorted(kept.items())
        if name not in _OF_A_LOGIN and not ("://" in value and "@" in value)
    }


def given(file: Path) -> frozenset[str]:
    """The names of the variables that stand in a person's file; none without one."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(
        name.strip() for name, equals, _ in (line.partition("=") for line in lines) if equals
    )
