"""The data that ship with the project: whole senders, disjoint parts, headers alone, logs that belong to the labels."""

import csv
import gzip
import subprocess
import sys
from collections import Counter

import pytest

from sim.capture import read_capture
from sim.headers import header_bytes
from tests.training.cases import MAILLAB, SLICE


def lines_of(name):
    return gzip.decompress((SLICE / name).read_bytes()).decode().splitlines()


def labels_of(part):
    return list(csv.DictReader(lines_of(f"{part}.labels.csv.gz")))


def senders_of(part):
    return {row["server_ip" if row["label"] == "outgoing" else "client_ip"] for row in labels_of(part)}


def test_size():
    assert sum(path.stat().st_size for path in SLICE.glob("*.gz")) <= 2_000_000


def test_parts_share_no_sender():
    assert senders_of("learn").isdisjoint(senders_of("test"))
    assert "198.19.0.10" not in senders_of("learn") | senders_of("test")
    assert (len(senders_of("learn")), len(senders_of("test"))) == (135, 86)


@pytest.mark.parametrize(
    ("part", "counts"),
    [
        ("learn", {"dnsbl": 509, "spam": 231, "ham": 330, "outgoing": 155, "submission": 41, "other": 98}),
        ("test", {"dnsbl": 373, "spam": 150, "ham": 200, "outgoing": 91, "submission": 25, "other": 47}),
    ],
)
def test_labels(part, counts):
    rows = labels_of(part)
    assert Counter(row["label"] for row in rows) == counts
    for label, count in counts.items():
        assert f" {count} " in next(
            line for line in (SLICE / "README.md").read_text().splitlines() if f"| {label} |" in line
        )
    log = "\n".join(lines_of(f"{part}.mail.log.gz"))
    assert all(f" {queue_id}: " in log for row in rows for queue_id in row["queue_ids"].split())
    assert all(f"[{row['client_ip']}]:{row['client_port']}" in log for row in rows if row["label"] in ("dnsbl", "ham"))
    assert len(lines_of(f"{part}.spamd_result.log.gz")) >= counts["spam"] + counts["ham"]


@pytest.mark.parametrize("part", ["learn", "test"])
def test_frames_end_with_their_headers(part):
    for frame in read_capture(SLICE / f"{part}.pcap.gz"):
        assert len(frame.data) == header_bytes(frame.data, frame.wire_length) <= frame.wire_length


@pytest.mark.skipif(not MAILLAB.is_dir(), reason="needs maillab in ../shared/data")
def test_slice_is_remade(tmp_path):
    subprocess.run([sys.executable, SLICE / "make_slice.py", MAILLAB, "-o", tmp_path], check=True, capture_output=True)
    made = sorted(tmp_path.iterdir())
    assert [path.name for path in made] == sorted(path.name for path in SLICE.glob("*.gz"))
    for path in made:
        assert gzip.decompress(path.read_bytes()) == gzip.decompress((SLICE / path.name).read_bytes())
