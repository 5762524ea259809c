"""`make bench`: the gateway's full path beside the stack most people would write, in one run.

The server under test has one core to itself; load, broker and Valkey share the other. Rounds alternate, and the
median of the ratios counts, for each kind of message that a charger sends while it charges. What counts as a message
is one that was answered *and* published at QoS 1 with its PUBACK: for the baseline the answer waits for the PUBACK,
for the gateway the lower of both rates is taken.
"""

import argparse
import asyncio
import json
import os
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench import in_process
from tests.bench.load import KINDS
from tests.support.servers import EmbeddedBroker, Mosquitto, Server, Valkey, free_port, wait_for_port

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
ADMIN_KEY = "ogw_bench_key_of_this_run_only_0123456789"


@dataclass
class Round:
    """One server's figures in one round."""

    rate: float
    published_rate: float
    p50_ms: float
    p99_ms: float

    @property
    def sustained(self) -> float:
        return min(self.rate, self.published_rate)


def pinned(core: int, command: list[str]) -> list[str]:
    """The command, on one core where the platform can say so and there are two."""
    if len(CORES) < 2:
        return command
    code = f"import os, sys; os.sched_setaffinity(0, {{{core}}}); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", code, *command]


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(pinned(CORES[0] if CORES else 0, command), stdout=output, stderr=output)
    try:
        wait_for_port(port, process, log, 30)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def gateway_config(folder: Path, valkey: Valkey, broker: Server, port: int, rest_port: int) -> Path:
    path = folder / "gateway.toml"
    path.write_text(
        f"""[gateway]
data_dir = "{folder}/data"
log_level = "warning"
[chargers]
host = "127.0.0.1"
port = {port}
admission_rate = 0
[rest]
host = "127.0.0.1"
port = {rest_port}
admin_key = "{ADMIN_KEY}"
[redis]
url = "unix://{valkey.folder}/valkey.sock"
[mqtt]
url = "mqtt://127.0.0.1:{broker.port}"
"""
    )
    return path


def delivered(rest_port: int) -> float:
    """How many events the broker has confirmed so far, by the gateway's own metrics."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{rest_port}/metrics", headers={"Authorization": f"Bearer {ADMIN_KEY}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        page = response.read().decode()
    found = re.findall(r'^ocpp_gateway_delivered\w*_total\{[^}]*reader="mqtt"[^}]*\} (\S+)$', page, re.MULTILINE)
    if not found:
        raise SystemExit("the gateway's metrics name no delivered events")
    return sum(float(value) for value in found)


def load(port: int, chargers: int, seconds: float, kind: str, rest_port: int | None) -> Round:
    """Run the load and measure both rates over the same window."""
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(port)]
    command += ["--chargers", str(chargers), "--seconds", str(seconds), "--kind", kind]
    counts: list[float] = []
    figures: dict[str, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                figures = json.loads(line)
            elif rest_port is not None:
                counts.append(delivered(rest_port))
    if not figures:
        raise SystemExit("the load generator failed; its error stands above")
    published = (counts[1] - counts[0]) / figures["seconds"] if rest_port is not None else figures["rate"]
    return Round(figures["rate"], published, figures["p50_ms"], figures["p99_ms"])


def gateway_round(
    folder: Path, broker: Server, chargers: int, seconds: float, kind: str, profile: Path | None = None
) -> Round:
    with fresh_valkey(folder) as valkey:
        port, rest_port = free_port(), free_port()
        config = gateway_config(folder, valkey, broker, port, rest_port)
        module = ["-m", "gateway"] if profile is None else ["-m", "tests.bench.profiled_gateway", str(profile)]
        command = [sys.executable, *module, "serve", "--config", str(config)]
        with running(command, port, folder / "gateway.log"):
            wait_until_ready(rest_port)
            return load(port, chargers, seconds, kind, rest_port)


def wait_until_ready(rest_port: int) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{rest_port}/readyz", timeout=1):
                return
        except OSError:
            asyncio.run(asyncio.sleep(0.1))
    raise SystemExit("the gateway did not become ready")


def baseline_round(folder: Path, broker: Server, chargers: int, seconds: float, kind: str) -> Round:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.baseline", "--port", str(port), "--broker-port", str(broker.port)]
    with running(command, port, folder / "baseline.log"):
        return load(port, chargers, seconds, kind, None)


@contextmanager
def fresh_valkey(folder: Path) -> Iterator[Valkey]:
    with tempfile.TemporaryDirectory(dir=folder) as data:
        # On a Unix socket, as the embedded one is.
        valkey = Valkey(Path(data), "--unixsocket", f"{data}/valkey.sock").start()
        try:
            yield valkey
        finally:
            valkey.stop()


def idle_kib(folder: Path, broker: Server, connections: int) -> float:
    """Memory per idle, booted connection, from the growth of the gateway's resident set."""
    with fresh_valkey(folder) as valkey:
        port, rest_port = free_port(), free_port()
        config = gateway_config(folder, valkey, broker, port, rest_port)
        with running(
            [sys.executable, "-m", "gateway", "serve", "--config", str(config)], port, folder / "idle.log"
        ) as gateway:
            wait_until_ready(rest_port)
            process = psutil.Process(gateway.pid)
            hold(port, 200)  # what is made once, at the first connections, is not counted
            before = process.memory_info().rss
            after = hold(port, connections, lambda: process.memory_info().rss)
            return (after - before) / connections / 1024


def hold(port: int, connections: int, measure: "object" = None) -> float:
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(port), "--chargers", str(connections), "--idle"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        if "holding" not in line:
            raise SystemExit("the idle chargers were turned away; the error stands above")
        asyncio.run(asyncio.sleep(3))
        figure = float(measure()) if callable(measure) else 0.0
        process.stdin.write("\n")
        process.stdin.close()
    return figure


def top_ten(profile: Path) -> str:
    rows = []
    stats = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
    for (file, line, name), (_, calls, own, _, _) in sorted(stats.items(), key=lambda item: -item[1][2])[:10]:
        place = name if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} {name}"
        rows.append(f"  {own:7.2f} s  {calls:>9} calls  {place}")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chargers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each kind of message")
    parser.add_argument("--idle", type=int, default=2000, help="connections held for the memory figure; 0 skips it")
    parser.add_argument(
        "--broker",
        choices=["embedded", "mosquitto"],
        default="embedded" if Mosquitto.binary() is None else "mosquitto",
        help="mosquitto where it is installed, else the embedded one",
    )
    parser.add_argument("--no-profile", action="store_true")
    parser.add_argument("--in-process", action="store_true", help="only the gateway's CPU time from frame to commit")
    options = parser.parse_args()
    if options.in_process:
        in_process.measure()
        return
    if len(CORES) >= 2:
        os.sched_setaffinity(0, {CORES[1]})
    else:
        print("one core only: server and load share it, so the figures mean little")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = (Mosquitto if options.broker == "mosquitto" else EmbeddedBroker)(folder / "broker").start()
        try:
            measure(options, folder, broker)
        finally:
            broker.stop()


def measure(options: argparse.Namespace, folder: Path, broker: Server) -> None:
    ratios = {kind: compared(options, folder, broker, kind) for kind in KINDS}
    print()
    for kind, each in ratios.items():
        told = ", ".join(f"{ratio:.1f}" for ratio in each)
        print(f"{kind:34} gateway / baseline {statistics.median(each):.1f}  (each round: {told})")
    overall = statistics.geometric_mean(statistics.median(each) for each in ratios.values())
    print(f"ratio of the full path, all kinds (geometric mean): {overall:.1f}")
    if options.idle:
        print(f"memory per idle connection: {idle_kib(folder, broker, options.idle):.1f} KiB", flush=True)
    if not options.no_profile:
        profile = folder / "profile"
        kind = "1.6 MeterValues, 8 samples"
        gateway_round(folder, broker, options.chargers, min(options.seconds, 5.0), kind, profile)
        print(f"the gateway's profile ({kind}), top ten by own time:\n" + top_ten(profile))


def compared(options: argparse.Namespace, folder: Path, broker: Server, kind: str) -> list[float]:
    """The ratios of all rounds with one kind of message; prints each round's figures."""
    ratios = []
    for number in range(options.rounds):
        theirs = baseline_round(folder, broker, options.chargers, options.seconds, kind)
        ours = gateway_round(folder, broker, options.chargers, options.seconds, kind)
        ratios.append(ours.sustained / theirs.sustained)
        for label, figures in (("baseline", theirs), ("gateway", ours)):
            print(
                f"{kind:34} round {number + 1}  {label:9} {figures.sustained:7.0f} msg/s  (answered "
                f"{figures.rate:.0f}/s, published {figures.published_rate:.0f}/s)  p50 {figures.p50_ms:.1f} ms  "
                f"p99 {figures.p99_ms:.1f} ms",
                flush=True,
            )
    return ratios


if __name__ == "__main__":
    main()
