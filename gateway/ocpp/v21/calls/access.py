"""Who may charge where: what differs from OCPP 2.0.1."""

from functools import partial

from gateway.ocpp.v21.calls.shapes import V21
from gateway.ocpp.v201.calls import access

reserve = partial(access.reserve, dialect=V21)
send_local_list = partial(access.send_local_list, dialect=V21)
customer_information = partial(access.customer_information, dialect=V21)
