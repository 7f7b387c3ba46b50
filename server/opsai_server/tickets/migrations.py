"""The store's shape, one migration after another: a file that knows n of them has `user_version` n."""

from collections.abc import Callable

APPLICATION_ID = 0x6F707361
"""`opsa`: marks a SQLite file as ours."""

Migration = Callable[[], tuple[str, ...]]


_M001_TICKETS = (
    """CREATE TABLE tickets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster TEXT NOT NULL, invariant TEXT NOT NULL, entity TEXT NOT NULL,
        grade TEXT NOT NULL, severity TEXT NOT NULL, status TEXT NOT NULL,
        title TEXT NOT NULL, headline TEXT NOT NULL,
        lead INTEGER REFERENCES tickets DEFERRABLE INITIALLY DEFERRED,
        parent INTEGER REFERENCES tickets DEFERRABLE INITIALLY DEFERRED,
        recurs INTEGER REFERENCES tickets DEFERRABLE INITIALLY DEFERRED,
        violated_at REAL NOT NULL, raised_at REAL NOT NULL, last_violated_at REAL NOT NULL,
        held_since REAL, resolved_at REAL, last_says TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX one_open_ticket_per_key ON tickets (cluster, invariant, entity) WHERE status != 'resolved'",
    "CREATE INDEX tickets_by_key ON tickets (cluster, invariant, entity, number)",
    "CREATE INDEX tickets_by_parent ON tickets (parent)",
    """CREATE TABLE transitions (
        ticket INTEGER NOT NULL REFERENCES tickets, place INTEGER NOT NULL,
        at REAL NOT NULL, step TEXT NOT NULL, says TEXT NOT NULL,
        PRIMARY KEY (ticket, place)
    ) WITHOUT ROWID""",
)
_M001_EVIDENCE = (
    """CREATE TABLE evidence (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, at REAL NOT NULL,
        ticket INTEGER REFERENCES tickets, value BLOB NOT NULL, chars INTEGER NOT NULL
    )""",
    "CREATE INDEX evidence_by_time ON evidence (cluster, at)",
    "CREATE INDEX evidence_by_ticket ON evidence (ticket)",
    """CREATE TABLE ticket_evidence (
        ticket INTEGER NOT NULL REFERENCES tickets, evidence INTEGER NOT NULL REFERENCES evidence,
        PRIMARY KEY (ticket, evidence)
    ) WITHOUT ROWID""",
    "CREATE INDEX ticket_evidence_by_evidence ON ticket_evidence (evidence)",
    """CREATE TABLE diagnoses (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster TEXT NOT NULL, ticket INTEGER REFERENCES tickets, at REAL NOT NULL, made_by TEXT NOT NULL,
        conclusion BLOB NOT NULL
    )""",
    "CREATE INDEX diagnoses_by_ticket ON diagnoses (ticket)",
    """CREATE TABLE diagnosis_evidence (
        diagnosis INTEGER NOT NULL REFERENCES diagnoses, evidence INTEGER NOT NULL REFERENCES evidence,
        PRIMARY KEY (diagnosis, evidence)
    ) WITHOUT ROWID""",
    "CREATE INDEX diagnosis_evidence_by_evidence ON diagnosis_evidence (evidence)",
)
_M001_WATCHING = (
    """CREATE TABLE ticks (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster TEXT NOT NULL, at REAL NOT NULL, tick BLOB NOT NULL
    )""",
    "CREATE INDEX ticks_by_time ON ticks (cluster, at)",
    """CREATE TABLE pending (
        cluster TEXT NOT NULL, invariant TEXT NOT NULL, entity TEXT NOT NULL,
        first_at REAL NOT NULL, seen_at REAL NOT NULL,
        PRIMARY KEY (cluster, invariant, entity)
    ) WITHOUT ROWID""",
    "CREATE TABLE heartbeats (cluster TEXT PRIMARY KEY, heartbeat TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE written_by (version TEXT NOT NULL)",
)


def m001_tickets_evidence_ticks() -> tuple[str, ...]:
    """Lay out tickets with their transitions, evidence, diagnoses, ticks, pending violations and heartbeats.

    Times are Unix seconds (REAL) of the cluster's clock. AUTOINCREMENT keeps an id from being given twice, also when what
    had it was pruned.
    """
    return (*_M001_TICKETS, *_M001_EVIDENCE, *_M001_WATCHING)


def m002_identities() -> tuple[str, ...]:
    """Keep which cluster was first seen under each name, by the id that it gives itself."""
    return (
        "CREATE TABLE identities (cluster TEXT PRIMARY KEY, cluster_id TEXT NOT NULL, first_seen REAL NOT NULL) WITHOUT ROWID",
    )


MIGRATIONS: tuple[Migration, ...] = (m001_tickets_evidence_ticks, m002_identities)
"""In order, never changed once released: a change is a new one at the end."""
