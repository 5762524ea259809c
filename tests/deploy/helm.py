"""Helm in a process of its own (it is a library in Go): `python -m tests.deploy.helm CHART` with cases on stdin.

Each case is an object of values; for each it prints what `helm lint --strict` says, and the manifests or why there are
none, as one JSON list.
"""

import json
import sys
from typing import Any


def carry_out(chart_folder: str, values: dict[str, Any]) -> dict[str, Any]:
    import helm_python

    report = helm_python.lint(chart_folder, values, strict=True)
    try:
        with helm_python.Chart.load(chart_folder) as chart:
            chart.validate_schema(values)
            return {"lint": report, "manifests": chart.render(values, name="release", namespace="charging")}
    except helm_python.HelmError as error:
        return {"lint": report, "error": str(error)}


if __name__ == "__main__":
    print(json.dumps([carry_out(sys.argv[1], values) for values in json.load(sys.stdin)]))
