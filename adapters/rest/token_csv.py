"""The token list as CSV, as spreadsheets write and read it: pure functions.

The first line names the columns, in any order; only `id` must be there. Fields are divided by commas, semicolons or
tabs, whichever the first line uses; patterns in `chargers` by spaces or semicolons. The text is UTF-8.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from adapters.rest.token_models import Printable, TokenEntry
from gateway.core.ports import IdToken
from gateway.core.wording import told

COLUMNS = ("id", "status", "type", "expires_at", "group", "chargers", "note")
MAX_PROBLEMS = 100
"""Problems that are listed; the rest is counted."""

_ID: TypeAdapter[str] = TypeAdapter(Printable)


class CsvInvalid(ValueError):
    """Nothing of the file can be taken. `problems` lists why, as {"location", "message"}, the first hundred."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        self.problems = problems[:MAX_PROBLEMS]
        first = f"{problems[0]['location']}: {problems[0]['message']}"
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"Nothing was imported. {first}{more}")


def read_tokens(data: bytes) -> list[IdToken]:
    """The tokens of a file. Raises CsvInvalid."""
    text = _text(data)
    rows = _rows(text)
    _, first = next(rows, (1, []))
    columns = _columns(first)
    tokens: dict[str, tuple[int, IdToken]] = {}
    problems: list[dict[str, Any]] = []
    for line, row in rows:
        try:
            token = _token(line, columns, row)
        except CsvInvalid as error:
            problems += error.problems
            continue
        earlier, _ = tokens.setdefault(token.id.casefold(), (line, token))
        if earlier != line:
            problems.append(_problem(line, "id", f"the same token as in line {earlier}"))
    if problems:
        raise CsvInvalid(problems)
    return [token for _, token in tokens.values()]


def write_tokens(tokens: Iterable[IdToken]) -> bytes:
    """A file that `read_tokens` reads back."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for token in tokens:
        values = (token.id, token.status, token.type, token.expires_at, token.group, " ".join(token.chargers))
        writer.writerow([*("" if value is None else value for value in values), token.note or ""])
    return file.getvalue().encode("utf-8", "replace")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CsvInvalid([_problem(line, None, "this is not UTF-8: save the file as CSV UTF-8")]) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of the line where it begins."""
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CsvInvalid([_problem(line, None, f"not CSV: {error}")]) from error
        if any(field.strip() for field in row):
            yield line, row
        line = reader.line_num + 1


def _columns(row: list[str]) -> list[str]:
    names = [name.strip().lower() for name in row]
    while names and not names[-1]:
        names.pop()
    known = ", ".join(COLUMNS)
    if "id" not in names:
        told = f"the first line names the columns, and id must be one; known are {known}"
        raise CsvInvalid([_problem(1, None, told)])
    problems = [
        _problem(1, None, f"unknown column {name!r}; known are {known}") for name in names if name not in COLUMNS
    ]
    problems += [_problem(1, None, f"column {name!r} is there twice") for name in COLUMNS if names.count(name) > 1]
    if problems:
        raise CsvInvalid(problems)
    return names


def _token(line: int, columns: list[str], row: list[str]) -> IdToken:
    """Raises CsvInvalid."""
    fields = [field.strip() for field in row]
    if any(fields[len(columns) :]):
        told = f"{len(fields)} fields, but the first line names {len(columns)} columns"
        raise CsvInvalid([_problem(line, None, told)])
    given: dict[str, Any] = {name: field for name, field in zip(columns, fields, strict=False) if field}
    if "chargers" in given:
        given["chargers"] = given["chargers"].replace(";", " ").split()
    if "status" in given:
        # As chargers and other systems write it: Accepted, ConcurrentTx.
        given["status"] = _snake_case(given["status"])
    problems: list[dict[str, Any]] = []
    token_id = given.pop("id", "")
    try:
        _ID.validate_python(token_id)
    except ValidationError as error:
        problems += _problems(line, "id", error) if token_id else [_problem(line, "id", "every token needs one")]
    try:
        entry = TokenEntry.model_validate(given)
    except ValidationError as error:
        raise CsvInvalid(problems + _problems(line, None, error)) from error
    if problems:
        raise CsvInvalid(problems)
    return entry.entry(token_id)


def _snake_case(word: str) -> str:
    """OCPP's spelling of a status as the gateway's; one that is in snake_case stays."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()


def _problems(line: int, column: str | None, error: ValidationError) -> list[dict[str, Any]]:
    return [
        _problem(line, column or str(problem["loc"][0]), told(problem, TokenEntry))
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _problem(line: int, column: str | None, message: str) -> dict[str, Any]:
    return {"location": f"line {line}" if column is None else f"line {line}, {column}", "message": message}
