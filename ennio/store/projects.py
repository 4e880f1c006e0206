"""The projects that were configured, as the documented table keeps them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ennio.config.model import Project
from ennio.model.clock import Clock
from ennio.store import tables
from ennio.store.columns import shape_of
from ennio.store.connection import Connection
from ennio.store.row_table import RowTable


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """What is kept of a project; the configuration has the rest."""

    project_id: str
    name: str
    repo: str
    path: str
    default_branch: str
    config_hash: str
    created_at: datetime
    updated_at: datetime


class ProjectRepository:
    """Keeps a row for every project that was ever configured."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._rows = RowTable(connection, tables.ProjectTable, shape_of(ProjectRow))

    def upsert(self, project: Project) -> None:
        """Keep a project as it is configured now; nothing is written when nothing changed."""
        now = self._clock.now()
        with self._connection.transaction():
            stored = self.get(project.id)
            created, updated = (
                (now, now) if stored is None else (stored.created_at, stored.updated_at)
            )
            row = ProjectRow(
                project_id=project.id,
                name=project.name,
                repo=project.repo,
                path=str(project.path),
                default_branch=project.default_branch,
                config_hash=project.config_hash,
                created_at=created,
                updated_at=updated,
            )
            if row != stored:
                self._rows.save(replace(row, updated_at=now))

    def get(self, project_id: str) -> ProjectRow | None:
        """One project, or None."""
        return self._rows.get(project_id)

    def list(self) -> tuple[ProjectRow, ...]:
        """All projects, by id."""
        return self._rows.find(order=("project_id",))
