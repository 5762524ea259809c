"""Virtual chargers of OCPP 1.6, 2.0.1 and 2.1, against this gateway or any other CSMS.

`simulate(options)` runs a fleet, and a `Wallbox` is one charger where cars come and go. What a charger is stands in
`station` (hardware), `car` and `memory` (what it was given to keep), `wording*` (its messages), `obey*` (every call of
its version, and the errands that follow), `charger` (connection and life) and `scenarios` (what it does of its own).
"""

from gateway.simulator.car import Car
from gateway.simulator.fleet import simulate
from gateway.simulator.options import Scenario, SimulatorOptions, Version
from gateway.simulator.report import Acknowledged, SimulatorEvent, SimulatorReport
from gateway.simulator.wallbox import Wallbox

__all__ = [
    "Acknowledged",
    "Car",
    "Scenario",
    "SimulatorEvent",
    "SimulatorOptions",
    "SimulatorReport",
    "Version",
    "Wallbox",
    "simulate",
]
