"""The charger as a device: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import device

reset = partial(device.reset, dialect=V21)
trigger = partial(device.trigger, dialect=V21)
