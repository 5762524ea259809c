"""Several Valkeys as one: a primary with replicas that Sentinels watch, and a Cluster."""

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import redis

from tests.support.servers import Server, Valkey, free_port

SLOTS = 16_384
SERVICE = "gateway"
_QUICK = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except redis.RedisError:
            pass  # it is starting, or changing its role
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def apart(servers: Iterable[Server]) -> None:
    """Give servers ports that differ, also from each other's for the Cluster's bus: none has bound its own yet."""
    taken: set[int] = set()

    def fresh(port: int) -> int:
        while port in taken:
            port = free_port()
        taken.add(port)
        return port

    for server in servers:
        server.port = fresh(server.port)
        if isinstance(server, ClusterNode):
            server.bus = fresh(server.bus)


class ClusterNode(Valkey):
    """A Valkey in cluster mode."""

    def __init__(self, folder: Path, *options: str, patience: int = 10_000) -> None:
        """`patience`: milliseconds of silence after which the others take it for lost."""
        super().__init__(folder, *options)
        self.bus, self.patience = free_port(), patience

    def command(self) -> list[str]:
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(self.bus))
        return [*super().command(), *cluster, "--cluster-node-timeout", str(self.patience)]


class Sentinel(Valkey):
    """A Valkey in sentinel mode, which watches `primary`."""

    def __init__(self, folder: Path, primary: Server, *, quorum: int, down_after: int, lines: Iterable[str]) -> None:
        super().__init__(folder)
        self._primary, self._quorum, self._down_after, self._lines = primary, quorum, down_after, tuple(lines)

    def command(self) -> list[str]:
        config = self.folder / "sentinel.conf"
        if not config.exists():
            # It writes down there what it learns.
            config.write_text("\n".join(self._settings()) + "\n")
        return [self.binary(), str(config), "--sentinel"]

    def _settings(self) -> list[str]:
        return [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {self.folder}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {self._primary.port} {self._quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {self._down_after}",
            f"sentinel failover-timeout {SERVICE} 4000",
            *self._lines,
        ]


class Watched:
    """A primary, its replicas, and three Sentinels."""

    def __init__(self, folder: Path, *, replicas: int = 2, down_after: int = 3000, lines: tuple[str, ...] = ()) -> None:
        self.primary = Valkey(folder / "primary", *_QUICK)
        self.replicas = [Valkey(folder / f"replica-{n}") for n in range(replicas)]
        self.sentinels = [
            Sentinel(folder / f"sentinel-{n}", self.primary, quorum=2, down_after=down_after, lines=lines)
            for n in range(3)
        ]
        apart([self.primary, *self.replicas, *self.sentinels])
        for replica in self.replicas:
            replica.options = (*_QUICK, "--replicaof", "127.0.0.1", str(self.primary.port))

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/{SERVICE}/0"

    def start(self) -> Self:
        for server in (self.primary, *self.replicas):
            server.start()
        wait_until(lambda: connected_replicas(self.primary) == len(self.replicas), "the replicas follow")
        for sentinel in self.sentinels:
            sentinel.start()
        wait_until(lambda: all(self._sees_all(one) for one in self.sentinels), "the sentinels know all")
        return self

    def stop(self) -> None:
        for server in (*self.sentinels, *self.replicas, self.primary):
            server.stop()

    def current(self) -> Valkey:
        """The primary by the first Sentinel."""
        with redis.Redis.from_url(self.sentinels[0].url) as client:
            port = int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])
        return next(server for server in (self.primary, *self.replicas) if server.port == port)

    def _sees_all(self, sentinel: Valkey) -> bool:
        with redis.Redis.from_url(sentinel.url) as client:
            state = client.sentinel_master(SERVICE)
        return state["num-other-sentinels"] == 2 and state["num-slaves"] == len(self.replicas)


class Cluster:
    """Primaries that share the slots, and replicas of them, in this order in `nodes`."""

    def __init__(self, folder: Path, *, primaries: int = 3, replicas: int = 0) -> None:
        self.size = primaries
        # Where there are replicas, they shall take over soon; else a busy machine must not make nodes seem lost.
        patience = 2000 if replicas else 10_000
        options = (*_QUICK, "--cluster-require-full-coverage", "no")
        self.nodes = [
            ClusterNode(folder / f"node-{n}", *options, patience=patience) for n in range(primaries + replicas)
        ]
        apart(self.nodes)

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes[: self.size])}"

    def client(self, node: int) -> "redis.Redis[bytes]":
        return redis.Redis(host="127.0.0.1", port=self.nodes[node].port)

    def start(self) -> Self:
        for node in self.nodes:
            node.start()
        self._cut()
        self._introduce()
        for number in range(self.size, len(self.nodes)):
            primary = self.identity(number % self.size)
            wait_until(lambda n=number, p=primary: p in self.ask(n, "CLUSTER NODES").decode(), "the nodes know it")
            self.ask(number, "CLUSTER REPLICATE", primary)
        for number in range(self.size):
            mine = sum(one % self.size == number for one in range(self.size, len(self.nodes)))
            wait_until(lambda n=number, m=mine: connected_replicas(self.nodes[n]) == m, "the replicas follow")
        return self

    def _cut(self) -> None:
        for number in range(self.size):
            first, last = SLOTS * number // self.size, SLOTS * (number + 1) // self.size - 1
            with contextlib.suppress(redis.ResponseError):
                # Refused to a node that has counted one up by itself already; they must differ, no more.
                self.ask(number, "CLUSTER SET-CONFIG-EPOCH", number + 1)
            self.ask(number, "CLUSTER ADDSLOTSRANGE", first, last)

    def _introduce(self) -> None:
        for number in range(1, len(self.nodes)):
            other = self.nodes[number]
            self.ask(0, "CLUSTER MEET", "127.0.0.1", other.port, other.bus)
        for number in range(len(self.nodes)):
            wait_until(lambda n=number: self._is_whole(n), "the nodes know each other")

    def _is_whole(self, number: int) -> bool:
        told = self.ask(number, "CLUSTER INFO").decode()
        return "cluster_state:ok" in told and f"cluster_known_nodes:{len(self.nodes)}" in told

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def ask(self, node: int, *command: str | int) -> Any:
        with self.client(node) as client:
            # Word by word, or the client makes something of its own of the reply.
            return client.execute_command(*str(command[0]).split(), *command[1:])

    def identity(self, node: int) -> str:
        return str(self.ask(node, "CLUSTER MYID").decode())

    def holder(self, slot: int) -> int:
        """The node that holds a slot, by the first node that runs."""
        number = next(number for number, node in enumerate(self.nodes) if node.runs)
        for first, last, primary, *_ in self.ask(number, "CLUSTER SLOTS"):
            if first <= slot <= last:
                return next(n for n, node in enumerate(self.nodes) if node.port == primary[1])
        raise LookupError(slot)

    def begin_to_move(self, slot: int, to: int) -> int:
        """Mark a slot as on its way to another primary; returns the node that has it."""
        source = self.holder(slot)
        self.ask(to, "CLUSTER SETSLOT", slot, "IMPORTING", self.identity(source))
        self.ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", self.identity(to))
        return source

    def move_keys(self, slot: int, source: int, to: int) -> None:
        while keys := self.ask(source, "CLUSTER GETKEYSINSLOT", slot, 100):
            with self.client(source) as client:
                client.execute_command("MIGRATE", "127.0.0.1", self.nodes[to].port, "", 0, 5000, "KEYS", *keys)

    def end_move(self, slot: int, to: int) -> None:
        target = self.identity(to)
        for number in (to, *(n for n in range(self.size) if n != to)):
            self.ask(number, "CLUSTER SETSLOT", slot, "NODE", target)


def connected_replicas(primary: Valkey) -> int:
    with redis.Redis.from_url(primary.url) as client:
        told = client.info("replication")
    return sum(name.startswith("slave") and state["state"] == "online" for name, state in told.items()
               if isinstance(state, dict))  # fmt: skip
