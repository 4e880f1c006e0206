"""Everything that must outlive the supervisor: one database, one file of queries per noun.

Callers see frozen dataclasses only; tables and queries are private to this folder.
"""

from ennio.policy.metering import SessionMetrics
from ennio.store.connection import LastKnown
from ennio.store.merges import Merge
from ennio.store.notifications import Notice
from ennio.store.opening import WaitingStore, open_store, wait_for_server
from ennio.store.projects import ProjectRow
from ennio.store.queue import Waiting
from ennio.store.reactions import ReactionRecord
from ennio.store.store import Store
from ennio.store.transaction import Transaction

__all__ = [
    "LastKnown",
    "Merge",
    "Notice",
    "ProjectRow",
    "ReactionRecord",
    "SessionMetrics",
    "Store",
    "Transaction",
    "Waiting",
    "WaitingStore",
    "open_store",
    "wait_for_server",
]
