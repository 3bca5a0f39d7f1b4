"""``training spammers``."""

import ipaddress
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from compiler.atomic import check_file_target, replacing
from compiler.cli import progress, warn
from compiler.errors import InputError
from compiler.forest import Forest
from sim.feed_key import parse_key

from ..senders.block_list import MINIMUM, Decision, Entry, ListFormat, check_own, decide, list_lines
from ..senders.database import bounded_database
from ..senders.evaluation import evaluate
from ..senders.ipfix_records import IPFIX, as_tables
from ..senders.networks import Network, network_list, read_networks, sender_name
from ..senders.pseudonyms import resolve_records
from ..senders.ranking import Ranking, rank_senders
from ..senders.record_view import create_records, join_labels
from ..senders.report import print_entries, print_evaluation, print_ranking
from .addresses import parse_address

__all__ = ["spammers"]

_KEPT_TOP = 100
_SMALL = 1 << 16


def spammers(
    records: Annotated[
        list[Path],
        typer.Argument(help="What a probe exported: .csv, .parquet or .ipfix; with --forest, flows to judge."),
    ],
    server: Annotated[
        list[str] | None, typer.Option(help="Address of an own server, which is never listed; give each.")
    ] = None,
    forest: Annotated[Path | None, typer.Option(help="forest.json that judges flows of `training flows`.")] = None,
    reduced: Annotated[
        bool, typer.Option("--reduced", help="The flows are reduced records: sizes of packets and flags that occurred.")
    ] = False,
    score: Annotated[
        int | None,
        typer.Option(
            help="Records are SPAM above this score, whatever the band.",
            show_default="with --forest what `fit` chose for lists, else the records' verdicts",
        ),
    ] = None,
    by_band: Annotated[
        bool, typer.Option("--by-band", help="With --forest: the verdicts of its band, as a probe gives them.")
    ] = False,
    minimum: Annotated[int, typer.Option(min=1, help="SPAM records that make a spammer.")] = MINIMUM,
    window: Annotated[float | None, typer.Option(help="Hours that count, up to --until [24].")] = None,
    until: Annotated[str | None, typer.Option(help="End of the window, ISO 8601; default: the newest record.")] = None,
    top: Annotated[int, typer.Option(min=0, max=_KEPT_TOP, help="Senders to show.")] = 10,
    block_list: Annotated[Path | None, typer.Option(help="File of the block list; see --write.")] = None,
    form: Annotated[ListFormat, typer.Option("--format", help="Of the block list.")] = ListFormat.PLAIN,
    write: Annotated[
        bool, typer.Option("--write", help="Write the list and FILE.flows.csv, its evidence; else it is a dry run.")
    ] = False,
    expires: Annotated[float, typer.Option(help="Days that entries last, from the end of the window.")] = 7,
    allow: Annotated[Path | None, typer.Option(help="Addresses and networks never to list, one a line.")] = None,
    list_shared: Annotated[
        bool, typer.Option("--list-shared", help="List addresses too that several hosts seem to share.")
    ] = False,
    key: Annotated[Path | None, typer.Option(help="File with the probe's key, to resolve pseudonyms.")] = None,
    addresses: Annotated[
        Path | None, typer.Option(help="Addresses and networks that pseudonyms may be of, one a line.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels of the records' flows, to tell what the list would have stopped.")
    ] = None,
    memory: Annotated[int, typer.Option(min=64, help="Megabytes that the database may use.")] = 1024,
) -> None:
    """Rank senders by their SPAM records and make a block list of the worst.

    [bold]Examples[/]: python -m training spammers records.parquet --server 192.0.2.25

    python -m training spammers records.parquet --server 192.0.2.25 --block-list spammers.nft --format nftables --write
    """
    servers = [parse_address("--server", text) for text in server or ()]
    _check(servers, block_list, write, expires, window, key, addresses, reduced, forest, score, by_band)
    if forest is not None and (judged := [path for path in records if path.suffix == IPFIX]):
        raise InputError(f"{judged[0]}: records hold verdicts, --forest judges files of flows")
    own = {sender_name(address) for address in servers}
    allowed = [] if allow is None else read_networks(allow)
    judge = None if forest is None else Forest.from_json(forest)
    if judge is not None:
        score = _score_of(judge, forest, score, by_band=by_band)
    end = None if until is None else _time("--until", until)
    with (
        progress("reading records") as update,
        tempfile.TemporaryDirectory(prefix="hedgerow-") as directory,
        bounded_database(memory) as connection,
    ):
        tables = as_tables(records, Path(directory), warn, update)
        labelled = create_records(connection, tables, judge, reduced=reduced, list_score=score)
        if labels is not None:
            join_labels(connection, labels)
        if key is not None:
            _resolve(connection, key, read_networks(addresses), servers, allowed, update)
        update("counting records")
        ranking = rank_senders(
            connection, own, minimum=minimum, hours=24.0 if window is None else window, until=end, top=_KEPT_TOP
        )
        check_own(ranking)
        entries = decide(ranking, network_list(allowed), list_shared=list_shared)
        listed = [entry.candidate.sender for entry in entries if entry.decision is Decision.LISTED]
        found = evaluate(connection, ranking.window, listed, minimum) if labelled or labels is not None else None
        _warn(ranking, servers)
        if score is not None:
            print(f"records are SPAM above score {score}")
        print_ranking(ranking, minimum, top)
        print_entries(entries, minimum)
        if found is not None:
            print_evaluation(found)
        if block_list is not None:
            _block(connection, ranking, entries, block_list, form, write, timedelta(days=expires))


def _score_of(forest: Forest, path: Path, score: int | None, *, by_band: bool) -> int | None:
    """Above which records are SPAM: what was asked for, or what `fit` chose for lists; None for the band."""
    for oddity in forest.verify(catalogue=False):
        warn(oddity)
    if by_band:
        return None
    where = "--score"
    if score is None:
        where, score = f"{path}: score for lists", _list_score_of(forest)
    lowest, highest = forest.score_range
    if score is not None and not lowest - 1 <= score <= highest:
        raise InputError(f"{where}: must be from {lowest - 1} to {highest}, the highest score there is, not {score}")
    return score


def _list_score_of(forest: Forest) -> int | None:
    """What `fit` chose; None for a forest from elsewhere, or from before there was such a choice."""
    chosen = forest.operating_point.get("list")
    found = chosen.get("score") if isinstance(chosen, dict) else None
    return found if isinstance(found, int) else None


def _check(
    servers: list[str],
    block_list: Path | None,
    write: bool,
    expires: float,
    window: float | None,
    key: Path | None,
    addresses: Path | None,
    reduced: bool,
    forest: Path | None,
    score: int | None,
    by_band: bool,
) -> None:
    if by_band and (forest is None or score is not None):
        raise InputError("--by-band: needs a --forest, and no --score")
    if reduced and forest is None:
        raise InputError("--reduced: needs a --forest to judge the records")
    if (key is None) != (addresses is None):
        raise InputError("--key: resolves pseudonyms among --addresses, so it needs them, and they it")
    if write and block_list is None:
        raise InputError("--write: needs a --block-list to write")
    if window is not None and not 0 < window < 1e6:
        raise InputError(f"--window: must be hours above 0, not {window:g}")
    if not 0 < expires < 3650:
        raise InputError(f"--expires: must be days above 0, not {expires:g}")
    if block_list is None:
        return
    if not servers:
        raise InputError("--server: must name the own servers, so that none of them is ever listed")
    if write:
        check_file_target(block_list)
        check_file_target(_evidence_of(block_list))


def _resolve(
    connection: Any, key: Path, networks: list[Network], servers: list[str], allowed: list[Network], update: Any
) -> None:
    secret = parse_key(key.read_text(encoding="ascii", errors="replace").strip(), str(key))
    # Whom the list must not hold has to be known by its address.
    known = [network for network in allowed if network.num_addresses <= _SMALL]
    tried = [*networks, *known, *map(ipaddress.ip_network, servers)]
    found, of = resolve_records(connection, tried, secret, update)
    if of and not found:
        raise InputError(f"{key}: none of {of} pseudonyms is that of one of --addresses under this key")
    print(f"{found} of {of} pseudonyms resolved")


def _warn(ranking: Ranking, servers: list[str]) -> None:
    if ranking.duplicates:
        warn(f"{ranking.duplicates} records came more than once and count once")
    if ranking.monitor_only:
        warn("records are of a forest that is marked monitor only: its verdicts are to be looked at, not acted on")
    if ranking.anonymised:
        warn("records hold pseudonyms, whose owners are known only with the key (--key, --addresses)")
    for own in ranking.own:
        warn(f"{own.sender} is an own server and {own.spam} of its {own.records} records are SPAM; it is not listed")
    if servers and not ranking.of_own:
        warn(f"no record is from {' or '.join(servers)}; are these the own servers?")


def _block(
    connection: Any,
    ranking: Ranking,
    entries: list[Entry],
    path: Path,
    form: ListFormat,
    write: bool,
    lasting: timedelta,
) -> None:
    expires = ranking.window.end + lasting
    now = _now()
    if expires <= now:
        warn(f"entries expired at {expires:%Y-%m-%d %H:%M:%S} UTC, the records are old; see --expires")
    lines = list(list_lines(entries, form, window=str(ranking.window), expires=expires, now=now))
    listed = [entry.candidate.sender for entry in entries if entry.decision is Decision.LISTED]
    if not write:
        print(*lines, sep="\n")
        print(f"dry run: {path} would hold {len(listed)} senders; --write writes it")
        return
    if expires <= now:
        raise InputError(f"{path}: is not written, its entries have expired; see --expires")
    if ranking.monitor_only:
        raise InputError(f"{path}: is not written, records are of a forest that is marked monitor only")
    evidence = _evidence_of(path)
    with replacing(evidence) as fresh_evidence, replacing(path) as fresh:
        connection.execute(
            "COPY (SELECT sender, client_ip, client_port, server_ip, server_port, start, "
            "CASE verdict WHEN 1 THEN 'spam' WHEN 0 THEN 'uncertain' ELSE 'background' END AS verdict, score "
            "FROM flows WHERE list_contains($listed, sender) ORDER BY sender, start) "
            f"TO '{str(fresh_evidence).replace(chr(39), chr(39) * 2)}' (FORMAT csv, HEADER)",
            {"listed": listed},
        )
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(listed)} senders until {expires:%Y-%m-%d %H:%M:%S} UTC; their flows are in {evidence}")


def _evidence_of(path: Path) -> Path:
    return path.with_name(path.name + ".flows.csv")


def _time(option: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option}: must be a time such as 2026-11-23T15:00:00Z, not {text!r}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
