"""A transaction as OCPI 2.2.1 has it: a Session while it runs, a CDR once it has ended (mod_sessions, mod_cdrs).

What OCPP does not know (the operator, the place, the tariff) comes from the options `ocpi_...` of section [rest].
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.core.transaction import whole

NOT_AVAILABLE = "#NA"
"""How OCPI spells what a required field cannot say."""

MOST = Decimal(10**15)
"""Beyond this a number is none that was measured or is owed."""

_CURRENCY = re.compile("[A-Za-z]{3}", re.ASCII).fullmatch

_KIND = {"ISO14443": "RFID", "ISO15693": "RFID", None: "RFID", "Central": "APP_USER", "NoAuthorization": "AD_HOC_USER"}
_NATURE = {"Transaction.Begin": "Start", "Transaction.End": "End"}


class OcpiOptions(BaseModel):
    """What OCPI asks for and no charger tells."""

    ocpi_country_code: str = Field(
        "ZZ", pattern="^[A-Z]{2}$", description="OCPI views of transactions: the operator's country, ISO 3166 alpha-2"
    )
    ocpi_party_id: str = Field("OGW", pattern="^[A-Za-z0-9]{3}$", description="The operator's id in OCPI")
    ocpi_currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="Currency of costs, ISO 4217")
    ocpi_address: str = Field(
        "unknown", min_length=1, max_length=45, description="Street and number that OCPI shows for every charger"
    )
    ocpi_city: str = Field("unknown", min_length=1, max_length=45, description="City that OCPI shows")
    ocpi_country: str = Field(
        "DEU", pattern="^[A-Z]{3}$", description="Country that OCPI shows for every charger, ISO 3166 alpha-3"
    )
    ocpi_latitude: str = Field("0.00000", pattern=r"^-?\d{1,2}\.\d{5,7}$", description="Degrees, with 5 to 7 decimals")
    ocpi_longitude: str = Field("0.00000", pattern=r"^-?\d{1,3}\.\d{5,7}$", description="Degrees, with 5 to 7 decimals")
    ocpi_connector_standard: str = Field(
        "IEC_62196_T2", pattern="^[A-Z0-9_]{1,40}$", description="OCPI's ConnectorType of every connector"
    )
    ocpi_connector_format: Literal["SOCKET", "CABLE"] = Field("SOCKET", description="OCPI's ConnectorFormat")
    ocpi_power_type: Literal["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"] = Field(
        "AC_3_PHASE", description="OCPI's PowerType"
    )


def view(stored: Mapping[str, Any], config: OcpiOptions) -> dict[str, Any]:
    """The CDR of a transaction that has ended and whose energy is known, else its Session."""
    record = whole(stored)
    if record["status"] == "ended" and record["energy_wh"] is not None:
        return cdr(record, config)
    return session(record, config)


def session(record: dict[str, Any], config: OcpiOptions) -> dict[str, Any]:
    """The Session object. One that ended without a known energy is INVALID."""
    ended = record["status"] == "ended"
    known = "COMPLETED" if record["energy_wh"] is not None else "INVALID"
    begun = _started(record)
    return _without_nulls(
        {
            "country_code": config.ocpi_country_code,
            "party_id": config.ocpi_party_id,
            "id": record["id"],
            "start_date_time": begun,
            "end_date_time": _ended(record) if ended else None,
            "kwh": _kwh(record),
            "cdr_token": _token(record, config),
            "auth_method": _auth_method(record),
            "authorization_reference": _short(record["command_id"]),
            "location_id": _id(record["charger_id"]),
            "evse_uid": _evse(record),
            "connector_id": str(record["connector_id"] or 1),
            "currency": _currency(record) or config.ocpi_currency,
            "charging_periods": [_period(record)],
            "total_cost": _cost(record),
            "status": known if ended else "ACTIVE",
            "last_updated": record["updated_at"] or begun,
        }
    )


def cdr(record: dict[str, Any], config: OcpiOptions) -> dict[str, Any]:
    """The CDR object. Its id is the transaction's, with the revision behind it once it was corrected."""
    revision = record["revision"]
    return _without_nulls(
        {
            "country_code": config.ocpi_country_code,
            "party_id": config.ocpi_party_id,
            "id": record["id"] if revision <= 1 else f"{record['id']}-{revision}",
            "start_date_time": _started(record),
            "end_date_time": _ended(record),
            "session_id": record["id"],
            "cdr_token": _token(record, config),
            "auth_method": _auth_method(record),
            "authorization_reference": _short(record["command_id"]),
            "cdr_location": {
                "id": _id(record["charger_id"]),
                "address": config.ocpi_address,
                "city": config.ocpi_city,
                "country": config.ocpi_country,
                "coordinates": {"latitude": config.ocpi_latitude, "longitude": config.ocpi_longitude},
                "evse_uid": _evse(record),
                "evse_id": NOT_AVAILABLE,
                "connector_id": str(record["connector_id"] or 1),
                "connector_standard": config.ocpi_connector_standard,
                "connector_format": config.ocpi_connector_format,
                "connector_power_type": config.ocpi_power_type,
            },
            "currency": _currency(record) or config.ocpi_currency,
            "charging_periods": [_period(record)],
            "signed_data": _signed(record),
            "total_cost": _cost(record) or {"excl_vat": 0},
            "total_energy": _kwh(record),
            "total_time": _hours(record),
            "remark": _remark(record),
            "last_updated": record["updated_at"] or _ended(record),
        }
    )


def _started(record: dict[str, Any]) -> str:
    return str(record["started_at"] or record["recorded_started_at"] or record["updated_at"])


def _ended(record: dict[str, Any]) -> str:
    return str(record["ended_at"] or record["recorded_ended_at"] or record["updated_at"])


def _kwh(record: dict[str, Any]) -> float:
    return _rounded(Decimal(str(record["energy_wh"] or 0)) / 1000)


def _hours(record: dict[str, Any]) -> float:
    return _rounded(Decimal(str(record["duration_s"] or 0)) / 3600)


def _rounded(number: Decimal) -> float:
    """OCPI's numbers have at most four decimals (section 16.3). What no charger can mean is cut to MOST."""
    return float(max(-MOST, min(MOST, number)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def _token(record: dict[str, Any], config: OcpiOptions) -> dict[str, Any]:
    token = record["token"] or {"id": NOT_AVAILABLE, "type": "NoAuthorization"}
    uid = _id(token["id"] or NOT_AVAILABLE)
    return {
        "country_code": config.ocpi_country_code,
        "party_id": config.ocpi_party_id,
        "uid": uid,
        "type": _KIND.get(token["type"], "OTHER"),
        "contract_id": uid,
    }


def _auth_method(record: dict[str, Any]) -> str:
    if record["command_id"] is not None or record["remote_start_id"] is not None:
        return "COMMAND"
    return "WHITELIST" if record["authorized_by"] in (None, "local", "tokens") else "AUTH_REQUEST"


def _period(record: dict[str, Any]) -> dict[str, Any]:
    dimensions = [{"type": "ENERGY", "volume": _kwh(record)}, {"type": "TIME", "volume": _hours(record)}]
    peak = record["measured"]["peak_power_w"]
    if peak is not None:
        dimensions.append({"type": "MAX_POWER", "volume": _rounded(Decimal(str(peak)) / 1000)})
    return {"start_date_time": _started(record), "dimensions": dimensions}


def _cost(record: dict[str, Any]) -> dict[str, Any] | None:
    """The charger's own figure, where it reported one (OCPP 2.1), in a currency that can be told."""
    if _currency(record) == "":
        return None
    total = (record["cost"] or {}).get("total") or {}
    price = {"excl_vat": total.get("excluding_tax"), "incl_vat": total.get("including_tax")}
    known = {name: _rounded(Decimal(str(amount))) for name, amount in price.items() if _is_amount(amount)}
    return {"excl_vat": known.get("incl_vat", 0), **known} if known else None


def _currency(record: dict[str, Any]) -> str | None:
    """The charger's own currency: None where it told none, empty where that is none of ISO 4217's three letters."""
    told = (record["cost"] or {}).get("currency")
    if not told:
        return None
    return str(told).upper() if _CURRENCY(str(told)) else ""


def _is_amount(amount: Any) -> bool:
    """Whether this can be a sum of money; one that cannot is left out."""
    return isinstance(amount, int | float) and not isinstance(amount, bool) and abs(amount) <= MOST


def _signed(record: dict[str, Any]) -> dict[str, Any] | None:
    """Signed meter values, untouched; OCPP 2.x wraps them in an object, 1.6 has them as text."""
    values = []
    method = NOT_AVAILABLE
    for reading in record["measured"]["readings"]:
        signed = reading.get("signed")
        if signed is None:
            continue
        data = _signed_text(signed)
        if isinstance(signed, dict):
            method = str(signed.get("encodingMethod") or method)
        elif str(data).startswith("OCMF|"):
            method = "OCMF"
        if _is_too_long(data):
            continue
        nature = _NATURE.get(reading["context"], "Intermediate")
        values.append({"nature": nature, "plain_data": str(reading["energy_wh"])[:512], "signed_data": str(data)})
    return {"encoding_method": method[:36], "signed_values": values} if values else None


def _signed_text(signed: Any) -> Any:
    return signed.get("signedMeterData") if isinstance(signed, dict) else signed


def _is_too_long(signed: Any) -> bool:
    """OCPI has 5000 characters for a signed value, and one that is cut proves nothing."""
    return len(str(signed)) > 5000


def _remark(record: dict[str, Any]) -> str | None:
    """What the fields cannot say, though a bill may depend on it."""
    remarks = [f"suspect: {', '.join(record['suspect'])}"] if record["suspect"] else []
    if _currency(record) == "":
        remarks.append("cost unknown: total_cost is 0 as the charger's currency is none of ISO 4217")
    elif _cost(record) is None:
        remarks.append("cost unknown: total_cost is 0 as the charger reported none")
    readings = [one["signed"] for one in record["measured"]["readings"] if one.get("signed") is not None]
    if any(_is_too_long(_signed_text(one)) for one in readings):
        remarks.append("signed data too long for OCPI: see the transaction")
    return "; ".join(remarks)[:255] or None


def _evse(record: dict[str, Any]) -> str:
    return _id(f"{record['charger_id']}*{record['evse_id'] or 1}")


def _id(text: str) -> str:
    """An id of at most 36 characters, printable ASCII; what does not fit is told by its hash."""
    if len(text) <= 36 and text.isascii() and text.isprintable():
        return text
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _short(text: str | None) -> str | None:
    return None if text is None else text[:36]


def _without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
