"""`python -m adapters.rest.openapi` writes openapi/openapi.json from the app."""

import json
import sys
from pathlib import Path

from adapters.rest.app import create_app

TARGET = Path(__file__).parents[2] / "openapi" / "openapi.json"


def document() -> str:
    """The OpenAPI document as it is kept in the repository."""
    return json.dumps(create_app().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(document(), encoding="utf-8")
