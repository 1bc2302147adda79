"""Read the tables of a run that only some figures need."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow
import pyarrow.parquet as parquet

from figures.problems import FigureError
from figures.runs import Run


def read_columns(
    run: Run, name: str, columns: Sequence[str], advice: str, optional: Sequence[str] = ()
) -> pyarrow.Table:
    """Read some columns of ``NAME.parquet`` in a run's folder.

    Parameters
    ----------
    advice : str
        How to come by the file, or by a newer one, for the error message.
    optional : sequence of str
        Columns that older runs do not have, and that are left out then.

    Raises
    ------
    FigureError
        If the file is missing, damaged or lacks a column.
    """
    path = run.folder / f"{name}.parquet"
    if not path.exists():
        raise FigureError(f"{run.folder}: expected {path.name}, got no such file; {advice}")
    try:
        with parquet.ParquetFile(path) as file:
            missing = [column for column in columns if column not in file.schema_arrow.names]
            if missing:
                raise FigureError(f"{path}: expected column {', '.join(missing)}, got none; {advice}")
            found = [column for column in optional if column in file.schema_arrow.names]
            return file.read(columns=[*columns, *found])
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        if isinstance(error, FigureError):
            raise
        raise FigureError(f"{path}: expected a whole file, got a damaged one ({error})") from error


def at_most(runs: Sequence[Run], limit: int) -> None:
    """Refuse more runs than a page has room for.

    Raises
    ------
    FigureError
        Naming the limit.
    """
    if len(runs) > limit:
        raise FigureError(f"runs: expected at most {limit}, one panel each, got {len(runs)}; narrow the pattern")
