"""Messages on a charger's display: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import display

display_message = partial(display.display_message, dialect=V21)
get_display_messages = partial(display.get_display_messages, dialect=V21)
