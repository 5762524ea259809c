"""One realistic payload for each action that a charger calls, with every field that matters, by version."""

from tests.ocpp.payload_parts import Payloads
from tests.ocpp.payloads_16 import INBOUND_16
from tests.ocpp.payloads_21 import INBOUND_21
from tests.ocpp.payloads_201 import INBOUND_201

INBOUND: dict[str, Payloads] = {"1.6": INBOUND_16, "2.0.1": INBOUND_201, "2.1": INBOUND_21}
"""Version → action → payload, in the order in which a charger might send them."""
