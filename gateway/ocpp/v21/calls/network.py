"""How a charger reaches its CSMS: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import network

set_network_profile = partial(network.set_network_profile, dialect=V21)
