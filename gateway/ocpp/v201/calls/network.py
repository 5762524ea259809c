"""How a charger reaches its CSMS."""

from typing import Any

from gateway.core.errors import CommandUnsupported
from gateway.ocpp.arguments import at_most
from gateway.ocpp.profile import Call, Station
from gateway.ocpp.spelling import Words, in_2x, in_21, spelled
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, given

VERSIONS: Words = {
    # OCPPVersionEnumType. What 2.0.1 calls OCPP20 is itself, for 2.0 was withdrawn.
    "1.2": in_2x("OCPP12"),
    "1.5": in_2x("OCPP15"),
    "1.6": in_2x("OCPP16"),
    "2.0.1": {"2.0.1": "OCPP20", "2.1": "OCPP201"},
    "2.1": in_21("OCPP21"),
}

INTERFACES: Words = {
    # OCPPInterfaceEnumType
    **{
        f"{kind}{number}": in_2x(f"{kind.capitalize()}{number}")
        for kind in ("wired", "wireless")
        for number in range(4)
    },
    "any": in_21("Any"),
}

AUTHENTICATIONS = {"none": "NONE", "pap": "PAP", "chap": "CHAP", "auto": "AUTO"}

VPN_TYPES = {"ikev2": "IKEv2", "ipsec": "IPSec", "l2tp": "L2TP", "pptp": "PPTP"}


def set_network_profile(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case B09."""
    version, apn, vpn = arguments["ocpp_version"], arguments["apn"], arguments["vpn"]
    if version is None and dialect is V201:
        version = "2.0.1"
    connection = {
        "ocppCsmsUrl": at_most(arguments["url"], dialect.url_length, "set_network_profile: url"),
        "ocppTransport": arguments["transport"].upper(),
        "ocppInterface": spelled(arguments["interface"], INTERFACES, dialect.version, "set_network_profile"),
        "messageTimeout": arguments["message_timeout_s"],
        "securityProfile": arguments["security_profile"],
        **given(
            ocppVersion=(
                None if version is None else spelled(version, VERSIONS, dialect.version, "set_network_profile: OCPP")
            ),
            apn=None if apn is None else _apn(apn, dialect),
            vpn=None if vpn is None else _vpn(vpn, dialect),
            **_credentials(arguments, dialect),
        ),
    }
    return [Call("SetNetworkProfile", {"configurationSlot": arguments["slot"], "connectionData": connection})]


def _credentials(arguments: Arguments, dialect: Dialect) -> dict[str, Any]:
    found = given(identity=arguments["identity"], basicAuthPassword=arguments["basic_auth_password"])
    if found and dialect is V201:
        raise CommandUnsupported(
            "set_network_profile: OCPP 2.0.1 takes neither identity nor basic_auth_password; versions that do: 2.1"
        )
    return found


def _apn(apn: Arguments, dialect: Dialect) -> dict[str, Any]:
    """APNType."""
    return {
        "apn": apn["name"],
        "apnAuthentication": AUTHENTICATIONS[apn["authentication"]],
        "useOnlyPreferredNetwork": apn["use_only_preferred_network"],
        **given(
            apnUserName=_fitting(apn["user"], dialect.user_length, "apn.user"),
            apnPassword=_fitting(apn["password"], dialect.password_length, "apn.password"),
            simPin=apn["sim_pin"],
            preferredNetwork=apn["preferred_network"],
        ),
    }


def _vpn(vpn: Arguments, dialect: Dialect) -> dict[str, Any]:
    """VPNType."""
    return {
        "server": vpn["server"],
        "user": _fitting(vpn["user"], dialect.user_length, "vpn.user"),
        "password": _fitting(vpn["password"], dialect.password_length, "vpn.password"),
        "key": vpn["key"],
        "type": VPN_TYPES[vpn["type"]],
        **given(group=_fitting(vpn["group"], dialect.user_length, "vpn.group")),
    }


def _fitting(text: str | None, length: int, what: str) -> str | None:
    return None if text is None else at_most(text, length, f"set_network_profile: {what}")
