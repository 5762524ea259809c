"""Variables of the device model: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import variables

set_variables = partial(variables.set_variables, dialect=V21)
