"""The commands and their options; what they do stands in modules of their own, imported when it is needed."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway import __version__
from gateway.core.errors import ConfigurationError, GatewayError

_EPILOG = (
    "Try it: `ocpp-gateway serve --dev` in one terminal, `ocpp-gateway tail` in a second, `ocpp-gateway simulate` in "
    "a third."
)

app = typer.Typer(
    name="ocpp-gateway",
    help="OCPP 1.6, 2.0.1 and 2.1 chargers as MQTT topics and REST endpoints.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="TOML file; else $OCPP_GATEWAY_CONFIG, else ./ocpp-gateway.toml"
    ),
]


class OcppVersion(StrEnum):
    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"


class ScenarioName(StrEnum):
    CHARGE = "charge"
    IDLE = "idle"
    BACKLOG = "backlog"
    STORM = "storm"


def main() -> None:
    """Entry point: runs the command line; errors of ours become one line on stderr and an exit code."""
    try:
        app(prog_name="ocpp-gateway")
    except ConfigurationError as error:
        _fail(error, 2)
    except GatewayError as error:
        _fail(error, 1)


def _fail(error: GatewayError, code: int) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]error:[/] {_escaped(str(error))}")
    sys.exit(code)


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Run to the end or to Ctrl-C, and exit with the result."""
    try:
        code = asyncio.run(work)
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


@app.command()
def serve(
    config: Config = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="Try it out: REST without API key. Says what else stands open.")
    ] = False,
    listen: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Where chargers connect; the default is 0.0.0.0:9000")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Data of the embedded servers", show_default=False)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that share the ports, one for each core", show_default="1")
    ] = None,
    worker: Annotated[int | None, typer.Option(hidden=True, help="Set by the parent of workers")] = None,
) -> None:
    """Run the gateway.

    With no configuration it starts a Valkey and an MQTT broker of its own. `REDIS_URL` and `MQTT_URL`, or the
    configuration file, name others: `MQTT_URL=mqtt://broker REDIS_URL=redis://cache ocpp-gateway serve`

    Chargers connect to `ws://<this machine>:9000/<charger id>`. Ctrl-C sends them away properly; a second one does
    not wait.
    """
    from gateway.cli.overrides import overrides
    from gateway.config import load

    loaded = load(config, overrides(listen=listen, data_dir=data_dir, workers=workers))
    # What follows is imported after that, and in a parent of workers never, as it is the whole house.
    if worker is None and loaded.settings.gateway.workers > 1:
        from gateway.cli.workers import run_workers

        raise typer.Exit(run_workers(loaded, options=sys.argv[2:]))
    from gateway.cli.serve import run_gateway

    raise typer.Exit(run_gateway(loaded, dev=dev, worker=worker))


@app.command()
def simulate(
    url: Annotated[str, typer.Option(help="The CSMS; each charger appends its id")] = "ws://127.0.0.1:9000",
    version: Annotated[OcppVersion, typer.Option("--version", "-v", help="OCPP version")] = OcppVersion.V16,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many chargers")] = 1,
    scenario: Annotated[
        ScenarioName,
        typer.Option(
            help="charge: transactions again and again; idle: heartbeats only; backlog: a transaction from offline "
            "times is replayed; storm: connections come and go"
        ),
    ] = ScenarioName.CHARGE,
    charger_id: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Id of a charger; may be repeated", show_default=False),
    ] = None,
    id_prefix: Annotated[str, typer.Option(help="Without --id: ids are this and a number from 0001")] = "SIM",
    connectors: Annotated[int, typer.Option(min=1, help="Connectors of a charger")] = 1,
    token: Annotated[str, typer.Option(help="Id token to charge with")] = "SIMULATED-TOKEN",  # noqa: S107
    interval: Annotated[float, typer.Option(help="Seconds between two meter samples")] = 10.0,
    samples: Annotated[int, typer.Option(min=1, help="Samples of one transaction")] = 6,
    idle_time: Annotated[float, typer.Option(help="Mean seconds between two transactions")] = 30.0,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Transactions per connector, then leave", show_default="no end")
    ] = None,
    speed: Annotated[float, typer.Option(help="Times as fast as real time")] = 1.0,
    duration: Annotated[float | None, typer.Option(help="Seconds, then leave", show_default="no end")] = None,
    ramp: Annotated[
        float | None, typer.Option(help="Chargers that connect per second", show_default="all at once")
    ] = None,
    password: Annotated[
        str | None, typer.Option(help="Basic-auth password", envvar="OCPP_PASSWORD", show_default=False)
    ] = None,
    tls_ca: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM file of the CSMS's CA")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the report at the end")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Events and report as JSON lines")] = False,
) -> None:
    """Run virtual chargers, against this gateway or any other CSMS.

    `ocpp-gateway simulate --version 2.0.1 --count 20 --speed 10`

    `ocpp-gateway simulate --url wss://csms.example/ocpp --id CP-1 --password secret --rounds 1`
    """
    from gateway.cli.simulate import run_simulation
    from gateway.simulator import SimulatorOptions

    options = SimulatorOptions(
        url=url,
        version=version.value,
        count=count,
        ids=tuple(charger_id or ()),
        id_prefix=id_prefix,
        scenario=scenario.value,
        connectors=connectors,
        token=token,
        interval=interval,
        samples=samples,
        idle_time=idle_time,
        rounds=rounds,
        speed=speed,
        duration=duration,
        ramp=ramp,
        password=password,
        tls_ca=tls_ca,
    )
    _run(run_simulation(options, quiet=quiet, as_json=as_json))


@app.command()
def tail(
    config: Config = None,
    charger: Annotated[
        list[str] | None, typer.Option("--charger", metavar="ID", help="Only this charger; may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Each event as it is, a CloudEvent in one line")] = False,
) -> None:
    """Follow what chargers do, live, from the MQTT broker.

    `ocpp-gateway tail --charger CP-1`

    `ocpp-gateway tail --json | jq 'select(.type == "ocpp.transaction.ended") | .data.energy_wh'`
    """
    from gateway.cli.mqtt_access import Access
    from gateway.cli.tail import follow
    from gateway.config import load

    _run(follow(Access.of(load(config).settings.mqtt), chargers=charger or [], as_json=as_json))


@app.command()
def send(
    charger: Annotated[str, typer.Argument(help="Id of the charger", show_default=False)],
    command: Annotated[
        str, typer.Argument(help="A command (start, stop, unlock, reset ...), or call/Action for a raw OCPP call")
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Arguments; a value may be JSON")
    ] = None,
    as_json: Annotated[
        str | None, typer.Option("--json", metavar="OBJECT", help="Arguments as one JSON object")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the outcome")] = 60.0,
    config: Config = None,
) -> None:
    """Send a command to a charger and print its outcome; exit code 0 if it was accepted.

    `ocpp-gateway send CP-1 start token=ABC123 evse_id=1`

    `ocpp-gateway send CP-1 set_charging_limit current_a=10`

    `ocpp-gateway send CP-1 call/TriggerMessage requestedMessage=Heartbeat`
    """
    from gateway.cli.mqtt_access import Access
    from gateway.cli.send import parsed_arguments, send_command
    from gateway.config import load

    given = parsed_arguments(command, arguments or [], as_json)
    _run(send_command(Access.of(load(config).settings.mqtt), charger, command, given, wait=wait))


@app.command("check-config")
def check_config(
    config: Config = None,
    brief: Annotated[bool, typer.Option("--brief", help="Without the explanations")] = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", "--explain", help="Instead print a commented TOML file with all options")
    ] = False,
) -> None:
    """Check the configuration; print what is in effect, why, and what it means.

    `ocpp-gateway check-config --defaults > ocpp-gateway.toml` begins a configuration file.
    """
    from gateway.config import load
    from gateway.config_text import effective, template
    from gateway.quirk_files import quirk_catalog

    if defaults:
        typer.echo(template(), nl=False)
        return
    loaded = load(config)
    quirk_catalog(loaded.settings.chargers.quirks)
    typer.echo(effective(loaded, explain=not brief), nl=False)
    for advice in loaded.advice:
        typer.echo(f"warning: {advice}", err=True)


@app.command()
def doctor(
    config: Config = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Data of the embedded servers", show_default=False)
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="OCPP_GATEWAY_API_KEY",
            help="API key of the running gateway, to hear whom it refused; needed only where neither [rest] admin_key "
            "nor its database is at hand",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All findings as one JSON object")] = False,
) -> None:
    """Find out why a charger does not connect, or nothing arrives; run it with the gateway's own configuration.

    Looks at configuration, Redis, the MQTT broker (by a message under `<prefix>/doctor/`), Home Assistant's discovery,
    ports, TLS, clock and disk, and at the handshakes which the running gateway refused lately, and says what to do.
    Works while a gateway runs and while none does. Exit code 1 if there is a problem.
    """
    from gateway import log
    from gateway.cli.doctor.examination import diagnosis
    from gateway.cli.doctor.report import report
    from gateway.cli.overrides import overrides

    log.configure("console", "error")
    _run(report(diagnosis(config, overrides(listen=None, data_dir=data_dir), key=api_key), as_json=as_json))


@app.command()
def healthcheck(config: Config = None) -> None:
    """Ask the gateway that runs here with this configuration whether it is alive; exit code 0 if so."""
    from gateway.cli.healthcheck import health_problem
    from gateway.config import load

    problem = health_problem(load(config).settings)
    if problem is not None:
        typer.echo(problem, err=True)
        raise typer.Exit(1)


@app.command()
def version(as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False) -> None:
    """Print the version."""
    typer.echo(json.dumps({"version": __version__}) if as_json else __version__)
