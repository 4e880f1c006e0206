"""The time before the database can be reached at all: what runs is shown, and it is asked for."""

from __future__ import annotations

import logging

import gevent

from ennio.actors.adoption import show_running
from ennio.actors.dependencies import Dependencies
from ennio.model.errors import Conflict, EnnioError, Unreachable
from ennio.store import WaitingStore

log = logging.getLogger(__name__)


def wait(deps: Dependencies, absent: WaitingStore) -> EnnioError | None:
    """Return once the store is that of the database, or with the error that no time can mend."""
    while True:
        show_running(deps, absent.known)
        gevent.sleep(deps.store.retry_after)
        try:
            absent.join()
        except (Unreachable, Conflict) as error:
            log.info("the database is still away", extra={"error": str(error)})
        except EnnioError as error:
            return error
        else:
            log.warning("the database is back")
            return None
