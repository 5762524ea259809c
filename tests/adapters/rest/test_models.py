"""The resources that OpenAPI shows have the fields that the gateway gives, so that they cannot drift apart."""

from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel

from adapters.rest import models
from gateway.core.charger_state import ChargerState
from gateway.core.connector_state import (
    ConnectorError,
    ConnectorState,
    ConnectorTransaction,
    LastTransaction,
    Phases,
    TokenFacts,
)
from gateway.core.transaction import new_record, public

TRANSACTION = new_record("id", "charger", "7")

SHOWN: list[tuple[type[BaseModel], Any, set[str]]] = [
    (models.Charger, ChargerState, set()),
    (models.Connector, ConnectorState, set()),
    (models.RunningTransaction, ConnectorTransaction, set()),
    (models.LastTransaction, LastTransaction, set()),
    (models.ReportedError, ConnectorError, set()),
    (models.Token, TokenFacts, set()),
    (models.Phases, Phases, set()),
]


@pytest.mark.parametrize(("model", "kept", "hidden"), SHOWN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_resource_has_the_fields_of_what_is_kept(model: type[BaseModel], kept: Any, hidden: set[str]) -> None:
    assert model.model_fields.keys() == get_type_hints(kept).keys() - hidden


def test_a_transaction_has_the_fields_of_the_public_record() -> None:
    assert models.Transaction.model_fields.keys() == public(TRANSACTION).keys()


@pytest.mark.parametrize("model", [models.Charger, models.Connector, models.Transaction])
def test_the_example_of_a_resource_is_one(model: type[BaseModel]) -> None:
    extra: Any = model.model_config["json_schema_extra"]
    example = extra["example"]
    model.model_validate(example, strict=True)
    assert example.keys() == model.model_fields.keys()
