"""What the database computes itself: forests, senders, pseudonyms, held to the functions that define them."""

import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.identity import pseudonym_of
from tests.forests import forests, rows_for
from training.senders.forest_sql import score_sql, verdict_sql
from training.senders.networks import SENDER_SQL, network_list, sender_name
from training.senders.pseudonyms import pseudonyms_of_ipv4
from training.senders.ranking import wilson_lower

duckdb = pytest.importorskip("duckdb", reason="needs the optional duckdb")


@settings(max_examples=25)
@given(forests(), st.integers(0, 999))
def test_a_forest_in_sql(forest, seed):
    X = rows_for(forest, 50, seed)
    names = ", ".join(f'"{name}" BIGINT' for name in forest.feature_names)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE flows (number BIGINT, {names})")
        marks = ", ".join("?" * (len(forest.columns) + 1))
        connection.executemany(f"INSERT INTO flows VALUES ({marks})", [[at, *row] for at, row in enumerate(X.tolist())])
        score = score_sql(forest)
        rows = connection.execute(
            f"SELECT {score}, {verdict_sql(forest.band, score)} FROM flows ORDER BY number"
        ).fetchall()
    scores, verdicts = forest.answer(X)
    assert rows == list(zip(scores.tolist(), verdicts.tolist(), strict=True))


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.ip_addresses(v=6, network="::/64"))


@settings(max_examples=25)
@given(st.lists(ADDRESSES, min_size=1))
def test_senders_in_sql(addresses):
    """Of any spelling; names of senders are those of Python."""
    spelt = [spelling for address in addresses for spelling in (str(address), address.exploded.upper())]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE records (number BIGINT, client_ip VARCHAR)")
        connection.executemany("INSERT INTO records VALUES (?, ?)", [[at, text] for at, text in enumerate(spelt)])
        found = [row[0] for row in connection.execute(f"SELECT {SENDER_SQL} FROM records ORDER BY number").fetchall()]
    assert found == [sender_name(str(address)) for address in addresses for _ in range(2)]


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1), st.integers(0, 2**64 - 1))
def test_pseudonyms_of_many_addresses(addresses, key):
    found = pseudonyms_of_ipv4(np.array(addresses, np.uint32), key)
    assert found.tolist() == [pseudonym_of(4, address, key) for address in addresses]


@given(st.lists(st.ip_addresses(v=4), max_size=5), st.lists(st.integers(0, 32), min_size=5, max_size=5), ADDRESSES)
def test_networks(addresses, sizes, tried):
    networks = [ipaddress.ip_network(f"{ip}/{size}", strict=False) for ip, size in zip(addresses, sizes, strict=False)]
    sender = ipaddress.ip_network(sender_name(str(tried)))
    expected = any(network.version == sender.version and network.overlaps(sender) for network in networks)
    assert network_list(networks).overlaps(str(sender)) == expected


@pytest.mark.parametrize(("hits", "of", "lower"), [(0, 0, 0.0), (10, 10, 0.7225), (10, 13, 0.4974), (0, 9, 0.0)])
def test_wilson(hits, of, lower):
    assert round(wilson_lower(hits, of), 4) == lower
