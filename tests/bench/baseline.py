"""The stack most people would write: websockets + the ocpp package's ChargePoint with @on handlers + aiomqtt.

Every message is validated, published at QoS 1 with its PUBACK awaited, and answered. No log, no resume, no state.
"""

import argparse
import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

import aiomqtt
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as call_result_201
from ocpp.v201.enums import Action as Action201
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol


class Charger(ChargePoint):
    """One charger's connection, with the handlers that everybody begins with."""

    mqtt: aiomqtt.Client

    async def publish(self, event: str, data: dict[str, Any]) -> None:
        await self.mqtt.publish(f"ocpp/{self.id}/{event}", json.dumps(data), qos=1)

    @on(Action.boot_notification)
    async def on_boot(self, **data: Any) -> call_result.BootNotification:
        await self.publish("boot", data)
        return call_result.BootNotification(datetime.now(UTC).isoformat(), 300, "Accepted")

    @on(Action.start_transaction)
    async def on_start(self, **data: Any) -> call_result.StartTransaction:
        await self.publish("start", data)
        return call_result.StartTransaction(1, {"status": "Accepted"})

    @on(Action.meter_values)
    async def on_meter_values(self, **data: Any) -> call_result.MeterValues:
        await self.publish("meter", data)
        return call_result.MeterValues()

    @on(Action.stop_transaction)
    async def on_stop(self, **data: Any) -> call_result.StopTransaction:
        await self.publish("stop", data)
        return call_result.StopTransaction()


class Charger201(ChargePoint201):
    """The same for OCPP 2.0.1."""

    mqtt: aiomqtt.Client

    async def publish(self, event: str, data: dict[str, Any]) -> None:
        await self.mqtt.publish(f"ocpp/{self.id}/{event}", json.dumps(data), qos=1)

    @on(Action201.boot_notification)
    async def on_boot(self, **data: Any) -> call_result_201.BootNotification:
        await self.publish("boot", data)
        return call_result_201.BootNotification(datetime.now(UTC).isoformat(), 300, "Accepted")

    @on(Action201.transaction_event)
    async def on_transaction_event(self, **data: Any) -> call_result_201.TransactionEvent:
        await self.publish("transaction", data)
        return call_result_201.TransactionEvent()


async def main(port: int, broker_port: int) -> None:
    logging.disable(logging.WARNING)
    async with aiomqtt.Client("127.0.0.1", broker_port, protocol=aiomqtt.ProtocolVersion.V5) as mqtt:

        async def serve_one(connection: ServerConnection) -> None:
            path = connection.request.path if connection.request is not None else "/"
            make = Charger201 if connection.subprotocol == "ocpp2.0.1" else Charger
            charger = make(path.rpartition("/")[2], connection)
            charger.mqtt = mqtt
            await charger.start()

        async with serve(serve_one, "127.0.0.1", port, subprotocols=[Subprotocol("ocpp1.6"), Subprotocol("ocpp2.0.1")]):
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--broker-port", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(main(options.port, options.broker_port))
