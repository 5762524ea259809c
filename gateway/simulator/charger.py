"""A virtual charger: connects, boots, keeps its transaction messages until they are acknowledged, and obeys."""

import asyncio
import ssl

from gateway.simulator.connector import Connector, RemoteStart, StopReason, Transaction
from gateway.simulator.dialect import Dialect
from gateway.simulator.errands import Errands
from gateway.simulator.link import CallError, CallTimeout, Link, LinkLost
from gateway.simulator.messages import Message
from gateway.simulator.obedience import Obedience
from gateway.simulator.opening import ConnectionRefused, open_socket
from gateway.simulator.options import SimulatorOptions
from gateway.simulator.report import Recorder
from gateway.simulator.station import Station

BOOT_RETRY = 10.0
RESET_TIMEOUT = 2.0
"""A charger that restarts first tells the end of its transactions, if it can within this time."""


class VirtualCharger:
    """One charger; `run` is its life, `leave` asks it to end."""

    def __init__(
        self,
        identity: str,
        options: SimulatorOptions,
        dialect: Dialect,
        recorder: Recorder,
        *,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.identity = identity
        self.options = options
        self.dialect = dialect
        self.station = Station(identity, options)
        self.online = asyncio.Event()
        """Set while the CSMS is connected and has accepted the boot."""
        self.ready = asyncio.Event()
        """Set from the first acceptance on, and when the charger is to leave."""
        self.leaving = False
        self._gone = False
        self._recorder = recorder
        self._tls = tls
        self._link: Link | None = None
        self._boot_accepted = asyncio.Event()
        self._boot_status = ""
        self._boot_interval = 0.0
        self._drained = asyncio.Event()
        self._may_speak = asyncio.Event()
        """Set while the CSMS has heard a boot and not rejected it: what it asks for may be sent."""
        self.errands = Errands(self._tell, self.report_statuses, self.station.seconds_until, speed=options.speed)
        self._obedience = Obedience(self.station, dialect, self.errands, recorder, is_rejected=self._is_rejected)

    # ------------------------------------------------------------ life

    async def stay_connected(self) -> None:
        """Connect, and again after each loss, until `go` was called."""
        attempt = 0
        while not self._gone:
            try:
                socket = await open_socket(self.identity, self.options, self.dialect.subprotocol, self._tls)
            except ConnectionRefused as error:
                self._recorder.refused(self.identity, str(error))
            else:
                link = Link(self.identity, socket, self._recorder, call_timeout=self.options.call_timeout)
                was_ready = await self._converse(link)
                attempt = 0 if was_ready else attempt
            if not self._gone:
                await asyncio.sleep(self._backoff(attempt))
            attempt += 1

    async def restart_on_demand(self) -> None:
        """Carry out resets, each once no transaction runs any more; until cancelled."""
        while True:
            await self.station.reset_changed.wait()
            self.station.reset_changed.clear()
            wanted = self.station.reset_wanted
            if wanted is None or (self.station.busy and wanted != "resume"):
                continue
            await self._drain(RESET_TIMEOUT)
            self.station.reset_wanted = None
            self.station.accepted = False
            self._boot_accepted.clear()
            self._resume_transactions()
            for connector in self.station.connectors:
                connector.reported = None
            await self.disconnect()

    def _resume_transactions(self) -> None:
        for connector in self.station.connectors:
            transaction = connector.transaction
            if transaction is not None:
                message = self.dialect.wording.resumed(transaction, connector.read(self.station.now()))
                if message is not None:
                    self._store(message, transaction)

    def leave(self) -> None:
        """Ask the charger to end what it does and go."""
        self.leaving = True
        self.ready.set()
        for connector in self.station.connectors:
            connector.changed.set()

    async def drain(self) -> None:
        """Wait until every stored message is acknowledged; when leaving, for a few seconds at most."""
        while not self.leaving and not await self._drain(1.0):
            continue
        await self._drain(self.options.leave_timeout)

    async def _drain(self, seconds: float) -> bool:
        if self.station.outbox:
            self._drained.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._drained.wait()
            except TimeoutError:
                return False
        return True

    async def go(self) -> None:
        """Close the connection for good."""
        # A cancellation alone would not do: a TaskGroup whose child fails at the same moment swallows it (Python 3.11).
        self._gone = True
        await self.disconnect()

    async def disconnect(self, *, abruptly: bool = False) -> None:
        """End the present connection, if any: with a close frame, or as a lost line does."""
        link = self._link
        if link is None:
            return
        if abruptly:
            link.abort()
        else:
            await link.close()

    # ------------------------------------------------------------ what scenarios do

    async def request(self, message: Message) -> dict[str, object] | None:
        """Send a message that is not kept; None where the CSMS is away or gives no proper answer."""
        link = self._link
        if link is None or not self.online.is_set():
            return None
        try:
            return await link.call(message.action, message.payload)
        except (CallError, CallTimeout, LinkLost):
            return None

    async def authorize(self, token: str) -> bool:
        """Ask whether the token may charge; while offline, every token may that the local list does not refuse."""
        answer = await self.request(self.dialect.wording.authorize(token))
        memory = self.station.memory
        if answer is None:
            known = memory.local_list.entries.get(token.lower())
            return known is None or known.get("status") == "Accepted"
        status = self.dialect.wording.token_status(answer)
        memory.cache[token.lower()] = status or "Accepted"
        return status in (None, "Accepted")

    async def report_statuses(self) -> None:
        """Tell the status of every connector where it changed."""
        for connector in self.station.connectors:
            await self.report_status(connector)

    async def report_status(self, connector: Connector) -> None:
        """Tell the connector's status where it changed; while offline, the reconnect will."""
        async with connector.reporting:
            message = self.dialect.wording.status(connector, self.station.now())
            status = message.payload.get("status") or message.payload["connectorStatus"]
            if status != connector.reported and self.online.is_set() and await self.request(message) is not None:
                connector.reported = status

    def begin(self, connector: Connector, token: str, remote: RemoteStart | None) -> Transaction:
        """Start a transaction and store its first message."""
        transaction = self.station.begin(connector, token, remote)
        reading = connector.read(self.station.now())
        self._store(self.dialect.wording.started(transaction, reading, offline=not self.online.is_set()), transaction)
        return transaction

    def sample(self, transaction: Transaction) -> None:
        """Store a sample of the transaction."""
        reading = transaction.connector.read(self.station.now())
        message = self.dialect.wording.sampled(transaction, reading, offline=not self.online.is_set())
        self._store(message, transaction, sample=True)

    async def report_state(self, transaction: Transaction) -> None:
        """Tell a changed charging state at once."""
        reading = transaction.connector.read(self.station.now())
        message = self.dialect.wording.state_changed(transaction, reading, offline=not self.online.is_set())
        if message is not None:
            self._store(message, transaction)
        await self.report_status(transaction.connector)

    def end(self, transaction: Transaction, reason: StopReason) -> None:
        """End the transaction and store its last message."""
        reading = transaction.connector.read(self.station.now())
        message = self.dialect.wording.ended(transaction, reading, reason, offline=not self.online.is_set())
        self._store(message, transaction)
        self.station.end(transaction.connector)

    async def open_stream(self, message: Message) -> bool:
        """OCPP 2.1: ask for a periodic event stream; whether the CSMS wants it."""
        answer = await self.request(message)
        return answer is not None and answer.get("status") == "Accepted"

    async def send(self, message: Message) -> None:
        """OCPP 2.1: send a message that has no answer, if online."""
        if self._link is not None and self.online.is_set():
            try:
                await self._link.send(message.action, message.payload)
            except LinkLost:
                return

    def _store(self, message: Message, transaction: Transaction, *, sample: bool = False) -> None:
        if not self.station.store(message.action, message.payload, transaction, sample=sample):
            self._recorder.dropped(self.identity, message.action, message.payload)

    # ------------------------------------------------------------ one connection

    def _backoff(self, attempt: int) -> float:
        """Seconds until the next try: doubling up to the maximum, spread over half of it."""
        longest = min(self.options.reconnect_max, self.options.reconnect_min * 2 ** min(attempt, 30))
        return float(longest * self.station.random.uniform(0.5, 1.0))

    async def _converse(self, link: Link) -> bool:
        """Live through one connection; returns whether the CSMS accepted the charger in it."""
        self._link = link
        self._recorder.connected(self.identity, self.dialect.subprotocol)
        reasons: list[str] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._obedience.obey(link), name=f"{self.identity} reader")
                tasks.create_task(self._work(link), name=f"{self.identity} worker")
        except* LinkLost as lost:
            reasons.append(str(_first_leaf(lost)))
        finally:
            was_ready = self.online.is_set()
            self.online.clear()
            self._may_speak.clear()
            self._link = None
        self._recorder.disconnected(self.identity, reasons[0] if reasons else "")
        return was_ready

    async def _work(self, link: Link) -> None:
        """Boot if need be; then report what changed, send what is stored, and keep the heart beating."""
        if not self._boot_accepted.is_set():
            await self._boot(link)
        self.online.set()
        self._may_speak.set()
        self.ready.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.report_statuses(), name=f"{self.identity} status")
            tasks.create_task(self._send_stored(link), name=f"{self.identity} outbox")
            tasks.create_task(self._beat(), name=f"{self.identity} heartbeat")

    async def _boot(self, link: Link) -> None:
        message = self.dialect.wording.boot(self.station)
        while not self._boot_accepted.is_set():
            pause = BOOT_RETRY
            try:
                self._boot_answered(await link.call(message.action, message.payload))
                pause = self._boot_interval or BOOT_RETRY
            except (CallError, CallTimeout):
                self._boot_status = ""
            try:
                async with asyncio.timeout(pause / self.options.speed):
                    await self._boot_accepted.wait()
            except TimeoutError:
                continue

    def _is_rejected(self) -> bool:
        return self._boot_status == "Rejected" and not self._boot_accepted.is_set()

    def _boot_answered(self, answer: dict[str, object]) -> None:
        interval = answer.get("interval")
        self._boot_status = str(answer.get("status"))
        self._boot_interval = float(interval) if isinstance(interval, int | float) else 0.0
        if self._boot_status in ("Accepted", "Pending"):
            self._may_speak.set()
        if self._boot_status == "Accepted":
            self.station.accepted = True
            self.station.variables.set("HeartbeatInterval", f"{self._boot_interval:g}")
            self._boot_accepted.set()

    async def _beat(self) -> None:
        while True:
            interval = self.station.variables.seconds("HeartbeatInterval", 300.0)
            await asyncio.sleep(interval / self.options.speed * self.station.random.uniform(0.9, 1.0))
            await self.request(Message("Heartbeat", {}))

    async def _send_stored(self, link: Link) -> None:
        outbox = self.station.outbox
        while True:
            while outbox:
                stored = outbox[0]
                self.dialect.wording.complete(stored.payload, stored.transaction)
                if stored.tries:
                    self._recorder.resent()
                try:
                    answer = await link.call(stored.action, stored.payload, tries=stored.tries)
                except CallTimeout:
                    continue
                except CallError:
                    stored.errors += 1
                    if stored.errors >= self.options.transaction_attempts:
                        outbox.popleft()
                        self._recorder.dropped(self.identity, stored.action, stored.payload)
                    await asyncio.sleep(stored.errors / self.options.speed)
                    continue
                outbox.popleft()
                self._stored_answered(stored.transaction, stored.action, answer)
            self._drained.set()
            self.station.outbox_changed.clear()
            await self.station.outbox_changed.wait()

    def _stored_answered(self, transaction: Transaction, action: str, answer: dict[str, object]) -> None:
        self.dialect.wording.learn(transaction, action, answer)
        refused = self.dialect.wording.token_status(answer) not in (None, "Accepted")
        if refused and transaction.connector.transaction is transaction:
            transaction.connector.stop("deauthorized")

    async def _tell(self, message: Message) -> dict[str, object] | None:
        """Send a message that a call asked for, when it may be; None where it got no proper answer."""
        await self._may_speak.wait()
        link = self._link
        if link is None:
            return None
        try:
            if not message.answered:
                await link.send(message.action, message.payload)
                return None
            answer = await link.call(message.action, message.payload)
        except (CallError, CallTimeout, LinkLost):
            return None
        if message.action == "BootNotification":
            self._boot_answered(answer)
        return answer


def _first_leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
