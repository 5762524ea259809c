"""A stand-in for the gateway: starts both embedded servers, tells their URLs, and waits to be killed."""

import asyncio
import json
import sys
from pathlib import Path

from gateway.embedded.broker import EmbeddedBroker
from gateway.embedded.valkey import EmbeddedValkey


async def main(data_dir: Path, port: int) -> None:
    valkey, broker = EmbeddedValkey(data_dir), EmbeddedBroker(data_dir, port)
    print(json.dumps([await valkey.start(), await broker.start()]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
