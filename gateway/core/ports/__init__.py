"""What the core asks of its surroundings: the Protocols that stores and sockets implement.

`gateway.cluster` implements EventLog, Ownership, StateStore, CommandStore, CommandQueue, Mailboxes, SettingsStore and
ApiKeys over Redis; `gateway.chargers` implements LocalCharger; the outward adapters implement OutwardReader (see
`gateway.core.adapter` for what an adapter is); `gateway.metrics` implements Observer.
"""

from gateway.core.ports.access import ApiKey, ApiKeys, IdToken, ListStanding, Scope, TokenStore
from gateway.core.ports.calling import LocalCharger
from gateway.core.ports.committing import Commit, EventLog, Receipt
from gateway.core.ports.observing import Observer
from gateway.core.ports.owning import ChargerSettings, Claim, LaterWork, Ownership, Registration, SnapshotFields
from gateway.core.ports.questions import Ask, Asker, Askers
from gateway.core.ports.reading import Delivery, Feed, FeedPage, LogEntry, OutwardReader, Snapshot, Touch
from gateway.core.ports.retained import (
    Listener,
    Listeners,
    Projection,
    Projections,
    RetainedMessage,
    TopicNames,
)
from gateway.core.ports.stores import (
    ChangesPage,
    CommandStore,
    DeadLetter,
    Mailboxes,
    NodeInfo,
    Page,
    SettingsStore,
    StateStore,
)
from gateway.core.ports.waiting import CommandQueue, Placed

__all__ = [
    "ApiKey",
    "ApiKeys",
    "Ask",
    "Asker",
    "Askers",
    "ChangesPage",
    "ChargerSettings",
    "Claim",
    "CommandQueue",
    "CommandStore",
    "Commit",
    "DeadLetter",
    "Delivery",
    "EventLog",
    "Feed",
    "FeedPage",
    "IdToken",
    "LaterWork",
    "ListStanding",
    "Listener",
    "Listeners",
    "LocalCharger",
    "LogEntry",
    "Mailboxes",
    "NodeInfo",
    "Observer",
    "OutwardReader",
    "Ownership",
    "Page",
    "Placed",
    "Projection",
    "Projections",
    "Receipt",
    "Registration",
    "RetainedMessage",
    "Scope",
    "SettingsStore",
    "Snapshot",
    "SnapshotFields",
    "StateStore",
    "TokenStore",
    "TopicNames",
    "Touch",
]
