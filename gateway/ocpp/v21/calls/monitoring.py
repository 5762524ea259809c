"""Monitors of variables: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import monitoring

set_monitoring = partial(monitoring.set_monitoring, dialect=V21)
