"""The names of everything in Redis. All keys of one shard carry its hash tag, so that they lie in one slot."""

from dataclasses import dataclass

from gateway.core.identity import ChargerId, percent_encode

DEFAULT_SHARDS = 4
CLUSTER_SHARDS = 64
"""Where nothing is said: enough to spread over as many primaries as are in use."""

MOST_SHARDS = 99

# The keys without a tag are used one by one. Those of the nodes lie together, so that a node which can keep itself
# alive can see the others, too.
SHARDS = "ocpp:shards"
SECRET = "ocpp:secret"  # noqa: S105  the key's name, not the secret
NODES = "ocpp:{nodes}:known"
LEFT = "ocpp:{nodes}:left"
"""Nodes that said that they go."""
READERS = "ocpp:readers"
API_KEYS = "ocpp:api_keys"
TOKENS = "ocpp:{tokens}:entries"
TOKEN_INDEX = "ocpp:{tokens}:index"  # noqa: S105  the key's name
TOKENS_STORED = "ocpp:{tokens}:stored"
"""Stands from when a list was stored for the first time, also after its last entry was removed."""
TOKENS_COMING = "ocpp:{tokens}:coming"
"""Stands while the first list is being stored, and after that was broken off."""

_REMEMBERED = 200_000


def _part(text: str) -> str:
    """One part of a key: no colon, no brace, nothing that is not ASCII."""
    if text.isalnum() and text.isascii():
        return text
    return percent_encode(text).replace(":", "%3A").replace("{", "%7B").replace("}", "%7D")


def node_key(node: str) -> str:
    return f"ocpp:{{nodes}}:alive:{_part(node)}"


def sweep_key(node: str) -> str:
    return f"ocpp:{{nodes}}:sweep:{_part(node)}"


def mailbox_key(node: str) -> str:
    return f"ocpp:mailbox:{_part(node)}"


def command_key(command_id: str) -> str:
    return f"ocpp:command:{command_id}"


def attendance_key(reader: str) -> str:
    """Which nodes read the log for this reader."""
    return f"ocpp:reader:{_part(reader)}"


@dataclass(slots=True, frozen=True)
class ChargerKeys:
    """A charger's keys. `name` names it in log entries and indexes; `answers`, `names` and `records` are prefixes."""

    shard: int
    name: str
    owner: str
    state: str
    settings: str
    transactions: str
    answers: str
    names: str
    records: str
    waiting: str
    """The commands that wait for it, in order."""
    queued: str
    """All that is known of them, and of those that were taken or ended and are not struck off yet."""


@dataclass(slots=True, frozen=True)
class ShardKeys:
    """A shard's keys: the log and its size, who owns what, the indexes, what could not be delivered, later work.

    `incarnation` changes when the server that holds the shard has lost its data.
    """

    shard: int
    prefix: str
    log: str
    size: str
    owners: str
    chargers: str
    transactions: str
    dead: str
    later: str
    later_payloads: str
    waited: str
    incarnation: str

    def cursor(self, reader: str) -> str:
        return f"{self.prefix}cursor:{_part(reader)}"

    def lease(self, reader: str) -> str:
        return f"{self.prefix}lease:{_part(reader)}"

    def in_hand(self, reader: str) -> str:
        return f"{self.prefix}in_hand:{_part(reader)}"

    def record(self, transaction_id: str) -> str:
        return f"{self.prefix}transaction:{_part(transaction_id)}"

    def samples(self, transaction_id: str) -> str:
        return f"{self.prefix}samples:{_part(transaction_id)}"

    def state(self, name: str) -> str:
        """The snapshot's key of the charger that the index knows as `name`."""
        tenant, _, encoded = name.partition(":")
        return f"{self.prefix}{tenant}:{_part_of_name(encoded)}:state"


def _part_of_name(encoded: str) -> str:
    return encoded.replace(":", "%3A")


class Keys:
    """Key names for a database of so many shards (`shards` is known once the database was asked)."""

    def __init__(self) -> None:
        self._by_shard: list[ShardKeys] = []
        self._by_source: dict[str, ChargerKeys] = {}

    @property
    def shards(self) -> int:
        return len(self._by_shard)

    def settle(self, shards: int) -> None:
        """Say how many shards there are."""
        self._by_source.clear()
        self._by_shard = [_shard_keys(shard) for shard in range(shards)]

    def shard(self, shard: int) -> ShardKeys:
        return self._by_shard[shard]

    def all_shards(self) -> list[ShardKeys]:
        return self._by_shard

    def charger(self, charger: ChargerId) -> ChargerKeys:
        # Looked up by source, a plain string that differs for every charger: its hash is ready, a dataclass's is not.
        found = self._by_source.get(charger.source)
        if found is None:
            if len(self._by_source) >= _REMEMBERED:
                self._by_source.clear()
            found = self._by_source[charger.source] = self._charger_keys(charger)
        return found

    def _charger_keys(self, charger: ChargerId) -> ChargerKeys:
        name = charger.key
        shard = charger.shard(len(self._by_shard))
        tenant, _, encoded = name.partition(":")
        prefix = self._by_shard[shard].prefix
        own = f"{prefix}{tenant}:{_part_of_name(encoded)}:"
        return ChargerKeys(
            shard,
            name,
            owner=f"{own}owner",
            state=f"{own}state",
            settings=f"{own}settings",
            transactions=f"{own}transactions",
            answers=f"{own}answer:",
            names=f"{own}named:",
            records=f"{prefix}transaction:",
            waiting=f"{own}waiting",
            queued=f"{own}queued",
        )

    def record(self, keys: ChargerKeys, transaction_id: str) -> str:
        return keys.records + _part(transaction_id)


def shard_prefix(shard: int) -> str:
    return f"ocpp:{{s{shard:02d}}}:"


def _shard_keys(shard: int) -> ShardKeys:
    prefix = shard_prefix(shard)
    return ShardKeys(
        shard,
        prefix,
        log=f"{prefix}log",
        size=f"{prefix}log_size",
        owners=f"{prefix}owners",
        chargers=f"{prefix}chargers",
        transactions=f"{prefix}transactions",
        dead=f"{prefix}dead_letters",
        later=f"{prefix}later",
        later_payloads=f"{prefix}later_payloads",
        waited=f"{prefix}waited",
        incarnation=f"{prefix}incarnation",
    )
