"""The OCPP versions that the gateway speaks: another version is one folder and one line."""

from collections.abc import Mapping

from gateway.ocpp.profile import Profile
from gateway.ocpp.v16.profile import PROFILE as V16
from gateway.ocpp.v21.profile import PROFILE as V21
from gateway.ocpp.v201.profile import PROFILE as V201

PROFILES: Mapping[str, Profile] = {
    # WebSocket subprotocol → version
    "ocpp1.6": V16,
    "ocpp2.0.1": V201,
    "ocpp2.1": V21,
}
