"""Rows of a study <-> Parquet, with the columns of `rows`: the same rows are the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from llm_tracker.studies.values.rows import COLUMNS, TABLES, Found, Record, TableName

_KINDS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}

GROUP_ROWS = 50_000

_MODEL, _VERSIONS = b"model", b"versions"
"""What stands in a file's metadata."""


def schema_of(name: TableName) -> pa.Schema:
    """The columns of a table and their types, as Parquet has them."""
    return pa.schema([(column, _KINDS[kind]) for column, kind in COLUMNS[name].items()])


def frame_of(name: TableName, rows: Sequence[Record]) -> pd.DataFrame:
    """Rows as a frame, all columns there, also of no rows."""
    frame: pd.DataFrame = pa.Table.from_pylist(list(rows), schema=schema_of(name)).to_pandas()
    return frame


def parquet_bytes(name: TableName, found: Found) -> bytes:
    """The rows of one table of a block as a Parquet file, with what they were made with."""
    notes = {_MODEL: json.dumps(found.model).encode(), _VERSIONS: json.dumps(dict(found.versions)).encode()}
    table = pa.Table.from_pylist(found.tables[name], schema=schema_of(name).with_metadata(notes))
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def notes_of(content: bytes) -> tuple[Record, Mapping[str, str]]:
    """The model's record and the versions that a file was written with."""
    notes = parquet.read_schema(io.BytesIO(content)).metadata
    return json.loads(notes[_MODEL]), json.loads(notes[_VERSIONS])


def joined(name: TableName, files: Iterable[bytes], sink: Any) -> int:
    """Several files of one table written into one, one after another; how many rows there are."""
    n_rows = 0
    with parquet.ParquetWriter(sink, schema_of(name)) as writer:
        for table in _gathered(files):
            writer.write_table(table)
            n_rows += table.num_rows
    return n_rows


def _gathered(files: Iterable[bytes]) -> Iterator[pa.Table]:
    """The files' rows, some tens of thousands at a time: readers are slow with many small groups of rows."""
    several: list[pa.Table] = []
    for content in files:
        several.append(parquet.read_table(io.BytesIO(content)).replace_schema_metadata())
        if sum(table.num_rows for table in several) >= GROUP_ROWS:
            yield pa.concat_tables(several)
            several = []
    if several:
        yield pa.concat_tables(several)


def read_frame(name: TableName, content: bytes, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A table that was written, as a frame."""
    frame: pd.DataFrame = parquet.read_table(io.BytesIO(content), columns=list(columns or COLUMNS[name])).to_pandas()
    return frame


def frames_of(blocks: Iterable[Found]) -> dict[TableName, pd.DataFrame]:
    """All rows of some blocks, table by table, without a file."""
    several = list(blocks)
    return {name: frame_of(name, [row for found in several for row in found.tables[name]]) for name in TABLES}
