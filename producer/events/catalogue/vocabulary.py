"""Tables of words that value kinds draw from: rows of columns, weighted. Data: catalogue/vocabulary.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from producer.events.catalogue.yaml_file import Section


@dataclass(frozen=True)
class Table:
    """Rows with the same columns; `cumulative` are the running weights for random.choices."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    cumulative: tuple[float, ...]


@dataclass(frozen=True)
class Tables:
    tables: dict[str, Table]
    parameters: dict[str, str]  # "%%1833" -> the text that stands in a rendered message

    def columns(self, table: str) -> tuple[str, ...]:
        return self.tables[table].columns if table in self.tables else ()

    def parameter_text(self, value: str) -> str:
        return self.parameters.get(value, value)


def read_tables(document: Section) -> Tables:
    """The tables of a document: `tables:` has lists of rows, `parameters:` has the texts of %%-numbers."""
    document.allow("tables", "parameters")
    sections = document.section("tables")
    parameters = document.section("parameters")
    return Tables(
        {name: _read_table(sections, name) for name in sections},
        {name: parameters.text(name) for name in parameters},
    )


def _read_table(sections: Section, name: str) -> Table:
    rows = sections.sections(name)
    if not rows:
        raise sections.fail(name, "has no rows")
    columns = tuple(column for column in rows[0] if column != "weight")
    for row in rows:
        if tuple(column for column in row if column != "weight") != columns:
            raise row.fail(name, f"every row needs the columns {', '.join(columns)}")
    return Table(
        columns,
        tuple({column: row.text(column) for column in columns} for row in rows),
        tuple(accumulate(row.number("weight", 1, 0, 1e6) for row in rows)),
    )
