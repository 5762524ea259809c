import json

from adapters.rest.openapi import TARGET, document
from tests.adapters.rest.client import client_of
from tests.adapters.rest.fakes import FakeGateway


def test_openapi_json_is_what_the_app_says_of_itself() -> None:
    assert TARGET.read_text() == document(), "run: make openapi"


async def test_the_running_app_serves_the_same_document() -> None:
    async with client_of(FakeGateway(), scope=None) as client:
        assert (await client.get("/openapi.json")).json() == json.loads(TARGET.read_text())


def test_every_operation_can_be_understood_on_its_own() -> None:
    schema = json.loads(TARGET.read_text())
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]


def test_every_reference_leads_somewhere() -> None:
    schema = json.loads(TARGET.read_text())
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(_references(schema)) <= known


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
