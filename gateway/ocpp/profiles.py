"""The OCPP versions that the gateway speaks: another version is one folder and one line."""

from collections.abc import Mapping

from gateway.ocpp.profile import Profile
from gateway.ocpp.v16.profile import PROFILE as V16

PROFILES: Mapping[str, Profile] = {
    # WebSocket subprotocol → version
    "ocpp1.6": V16,
}
