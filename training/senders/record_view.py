"""Files of records as one view of a database: records that a probe judged, or flows that a forest judges now."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compiler.errors import InputError
from compiler.forest import Band, Forest

from ..feature_choice import REDUCED
from .forest_sql import score_sql, verdict_sql
from .networks import SENDER_SQL

__all__ = ["create_records", "join_labels"]

_JUDGED = {
    "start": "TIMESTAMP",
    "client_ip": "VARCHAR",
    "client_port": "INTEGER",
    "server_ip": "VARCHAR",
    "server_port": "INTEGER",
    "verdict": "VARCHAR",
    "reason": "VARCHAR",
    "score": "BIGINT",
    "monitor_only": "INTEGER",
    "anonymised": "INTEGER",
}
_FLOWS = {
    "t_start": "DOUBLE",
    "client_ip": "VARCHAR",
    "client_port": "INTEGER",
    "server_ip": "VARCHAR",
    "server_port": "INTEGER",
}
_WHOLE = {"syn_seen": "INTEGER", "sp": "BIGINT", "rsp": "BIGINT"}
_LABELS = {"label": "VARCHAR", "sublabel": "VARCHAR"}
_OF_THE_SCORE = ("decided", "band")
"""Reasons of verdicts that the score decided."""
_SLACK_S = 1.0


def create_records(
    connection: Any,
    paths: Sequence[Path],
    forest: Forest | None = None,
    *,
    reduced: bool = False,
    list_score: int | None = None,
) -> bool:
    """Make the view ``records``; nothing is read yet but the columns. Returns whether it has labels.

    Columns: sender, client_ip, client_port, server_ip, server_port, start, verdict (1, 0, -1; NULL where the file makes
    no sense), score, monitor_only, anonymised, label, sublabel, filename. Records at the end of flows that had been
    judged early are left out: each of their flows has its record.

    Parameters
    ----------
    forest: judges flows as ``training flows`` writes them; None takes the verdicts of records
    reduced: the flows are reduced records, which tell no more than addresses, time and REDUCED
    list_score: verdicts are SPAM above this score and BACKGROUND below it, where the flow was seen whole
    """
    band = None if list_score is None else Band(list_score, list_score)
    wanted = _JUDGED if forest is None else _flow_columns(forest, reduced)
    columns = _create_raw(connection, paths, wanted, _LABELS | {"early": "INTEGER"})
    labelled = "label" in columns and forest is not None
    names = "label, sublabel" if labelled and "sublabel" in columns else "label, ''" if labelled else "NULL, NULL"
    label, sublabel = names.split(", ")
    if forest is None:
        start, score, kept = "start", "score", "reason IS DISTINCT FROM 'early'"
        verdict = "CASE verdict WHEN 'spam' THEN 1 WHEN 'uncertain' THEN 0 WHEN 'background' THEN -1 END"
        if band is not None:
            by_score = verdict_sql(band, "score")
            verdict = (
                f"CASE WHEN {verdict} IS NOT NULL AND reason IN {_OF_THE_SCORE} THEN {by_score} ELSE {verdict} END"
            )
        monitor_only, anonymised = "monitor_only <> 0", "anonymised <> 0"
    else:
        start, kept = "make_timestamp(CAST(t_start * 1000000 AS BIGINT))", "true"
        score, verdict = score_sql(forest), _judged_sql(forest, band or forest.band, reduced)
        monitor_only, anonymised = str(forest.monitor_only).lower(), "false"
    connection.execute(
        f"""CREATE VIEW records AS SELECT {SENDER_SQL} AS sender, client_ip, client_port, server_ip, server_port,
        {start} AS start, {verdict} AS verdict, score, {monitor_only} AS monitor_only, {anonymised} AS anonymised,
        {label} AS label, {sublabel} AS sublabel, filename
        FROM (SELECT * {"" if forest is None else f", {score} AS score"} FROM raw) WHERE {kept}"""
    )
    return labelled


def join_labels(connection: Any, path: Path) -> None:
    """Give ``records`` the labels of a table that ``training label`` wrote: by endpoints, and by time."""
    wanted = _FLOWS | {"duration": "DOUBLE"} | _LABELS
    _create_raw(connection, [path], wanted, {}, name="labels")
    connection.execute("ALTER VIEW records RENAME TO unlabelled")
    connection.execute(
        f"""CREATE VIEW records AS SELECT r.* EXCLUDE (label, sublabel), l.label, l.sublabel FROM unlabelled r
        LEFT JOIN labels l ON r.client_ip = l.client_ip AND r.client_port = l.client_port
        AND r.server_ip = l.server_ip AND r.server_port = l.server_port
        AND epoch(r.start) BETWEEN l.t_start - {_SLACK_S} AND l.t_start + l.duration + {_SLACK_S}
        QUALIFY row_number() OVER (
            PARTITION BY r.client_ip, r.client_port, r.server_ip, r.server_port, r.start ORDER BY l.t_start DESC) = 1"""
    )


def _flow_columns(forest: Forest, reduced: bool) -> dict[str, str]:
    if forest.classes:
        raise InputError("--forest: must give verdicts, not classes")
    if reduced and (more := [name for name in forest.feature_names if name not in REDUCED]):
        raise InputError(f"--forest: a reduced record does not have {', '.join(more)}, which the forest asks for")
    features = dict.fromkeys(forest.feature_names, "BIGINT")
    return _FLOWS | ({"syn": "BIGINT"} if reduced else _WHOLE) | features


def _judged_sql(forest: Forest, band: Band, reduced: bool) -> str:
    """The verdict of a flow as the probe gives it: NULL for impossible values, uncertain for what is not whole."""
    columns = [(column.name, column.bits) for column in forest.columns]
    impossible = " OR ".join(f'"{name}" NOT BETWEEN 0 AND {(1 << bits) - 1}' for name, bits in columns)
    missing = " OR ".join(f'"{name}" IS NULL' for name, _ in columns)
    if reduced:
        partial = "syn = 0"
    else:
        one_sided = "false" if forest.directions == "forward" else "sp = 0 OR rsp = 0"
        partial = f"syn_seen = 0 OR sp + rsp < {forest.min_packets} OR {one_sided}"
    whole = verdict_sql(band, "score")
    return f"CASE WHEN {missing} OR {impossible} THEN NULL WHEN {partial} THEN 0 ELSE {whole} END"


def _create_raw(
    connection: Any, paths: Sequence[Path], wanted: dict[str, str], optional: dict[str, str], name: str = "raw"
) -> set[str]:
    """A view of the files' columns as they are asked for; returns those that are there."""
    parts, common = [], None
    for path in paths:
        if not {".csv", ".parquet"} & set(path.suffixes):
            raise InputError(f"{path}: name must end in .csv, .csv.gz, .parquet or .ipfix")
    for kind in ("csv", "parquet"):
        of_kind = [str(path) for path in paths if (path.suffix == ".parquet") == (kind == "parquet")]
        if not of_kind:
            continue
        for path in of_kind:
            found = _columns_of(connection, path, kind)
            for column in wanted:
                if column not in found:
                    raise InputError(f"{path}: column {column!r} is missing")
            common = found if common is None else common & found
        parts.append((kind, of_kind))
    present = wanted | {column: of for column, of in optional.items() if column in common}
    selected = ", ".join(f'CAST("{column}" AS {of}) AS "{column}"' for column, of in present.items())
    for kind, of_kind in parts:
        if kind == "csv":
            relation = connection.read_csv(of_kind, header=True, dtype=present, filename=True, union_by_name=True)
        else:
            relation = connection.read_parquet(of_kind, filename=True, union_by_name=True)
        relation.create_view(f"{name}_{kind}")
    union = " UNION ALL ".join(f"SELECT {selected}, filename FROM {name}_{kind}" for kind, _ in parts)
    connection.execute(f"CREATE VIEW {name} AS {union}")
    return set(present)


def _columns_of(connection: Any, path: str, kind: str) -> set[str]:
    with open(path, "rb") as file:
        if not file.read(1):
            raise InputError(f"{path}: is empty")
    if kind == "parquet":
        return set(connection.read_parquet(path).columns)
    return set(connection.read_csv(path, header=True, all_varchar=True).columns)
