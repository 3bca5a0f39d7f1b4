"""Cut the slice of maillab that ships with the project: ``python training/data/make_slice.py MAILLAB_DIR``.

Whole senders only, in two parts that share none. The same input gives the same files.
"""

import argparse
import csv
import gzip
import hashlib
import io
import re
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from compiler.errors import InputError
from sim.capture import CapturedFrame, read_capture
from sim.headers import decode_frame, header_bytes
from training.csv_file import read_rows

MAX_BYTES = 2_000_000
PARTS = ("learn", "learn", "test", "learn", "test")
"""The senders of each class are dealt out in this order."""

_FILES = ("headers.pcap.gz", "labels.csv.gz", "mail.log.gz", "spamd_result.log.gz")
_DAEMON = re.compile(r"\S+ +\d+ \S+ \S+ (\S+)\[(\d+)\]: (.*)")
_CLIENT = re.compile(r"(?:dis)?connect from \S+\[([0-9a-f.:]+)\]")
_QUEUE_ID = re.compile(r"([0-9A-Za-z]{6,}): (?!reject)")
_RELAY = re.compile(r"relay=\S+\[([0-9a-f.:]+)\]")
_MESSAGE_ID = re.compile(r"message-id=(\S+)")
_NO_MESSAGE_ID = "<>"
_CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)")
_SCANNED = re.compile(r"\bmid=([^,]+),")

LabelRow = dict[str, str]


def sender_of(row: LabelRow) -> str:
    """Whom a flow is put down to: the client, but the remote server of our own outgoing mail."""
    return row["server_ip" if row["label"] == "outgoing" else "client_ip"]


def dealt_senders(rows: list[LabelRow], percent: int) -> dict[str, str]:
    """The part of every sender in the slice: of each class the same share, in an order that no one chose."""
    labels: dict[str, Counter] = defaultdict(Counter)
    for row in rows:
        labels[sender_of(row)][row["label"]] += 1
    classes = defaultdict(list)
    for sender, counts in labels.items():
        classes[min(counts, key=lambda label: (-counts[label], label))].append(sender)
    dealt = {}
    for senders in classes.values():
        senders.sort(key=lambda sender: hashlib.sha256(sender.encode()).digest())
        for index in range(len(senders) * percent // 100):
            dealt[senders[index]] = PARTS[index % len(PARTS)]
    return dealt


def capture_bytes(frames: Iterable[CapturedFrame]) -> bytes:
    """A pcap of these frames, each cut after its TCP header."""
    out = io.BytesIO(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 128, 1))
    out.seek(0, io.SEEK_END)
    for frame in frames:
        data = frame.data[: header_bytes(frame.data, frame.wire_length)]
        seconds, rest = divmod(frame.time_ns // 1000, 1_000_000)
        out.write(struct.pack("<IIII", seconds, rest, len(data), frame.wire_length) + data)
    return out.getvalue()


def label_bytes(rows: list[LabelRow]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def mail_log_lines(lines: list[str], senders: set[str], queue_ids: set[str]) -> list[str]:
    """The lines about sessions of these senders, about their mails, and about mails sent to them."""
    queue_ids = queue_ids | {
        _queue_id(line) for line in lines if (relay := _RELAY.search(line)) and relay[1] in senders
    } - {None}
    kept, client = [], {}
    for line in lines:
        if not (daemon := _DAEMON.match(line)):
            continue
        process, text = daemon.group(1, 2), daemon[3]
        if session := _CLIENT.match(text):
            client[process] = session[1]
        if client.get(process) in senders or _queue_id(line) in queue_ids:
            kept.append(line)
        if text.startswith("disconnect"):
            client.pop(process, None)
    return kept


def _queue_id(line: str) -> str | None:
    daemon = _DAEMON.match(line)
    queue_id = _QUEUE_ID.match(daemon[3]) if daemon else None
    return queue_id and queue_id[1]


def spamd_lines(lines: list[str], mail_log: list[str]) -> list[str]:
    """The verdicts on the mails of a mail log: by message id, of mails without one by the second of delivery."""
    ids = {_queue_id(line): found[1] for line in mail_log if (found := _MESSAGE_ID.search(line))}
    delivered = {
        _clock_s(line) for line in mail_log if "postfix/pipe[" in line and ids.get(_queue_id(line)) == _NO_MESSAGE_ID
    }
    known = set(ids.values())
    near = {second + around for second in delivered for around in (-1, 0, 1)}

    def is_kept(line: str) -> bool:
        scanned = _SCANNED.search(line)
        if scanned and scanned[1] == "(unknown)":
            return _clock_s(line) in near
        return bool(scanned) and scanned[1] in known

    return [line for line in lines if is_kept(line)]


def _clock_s(line: str) -> int:
    hours, minutes, seconds = map(int, _CLOCK.search(line).groups())
    return 3600 * hours + 60 * minutes + seconds


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=9, mtime=0)


def slice_files(
    frames: list[tuple[str, CapturedFrame]],
    rows: list[LabelRow],
    mail_log: list[str],
    spamd: list[str],
    percent: int,
) -> dict[str, bytes]:
    """The files of a slice with this share of the senders, by name."""
    dealt = dealt_senders(rows, percent)
    files = {}
    for part in dict.fromkeys(PARTS):
        senders = {sender for sender, whose in dealt.items() if whose == part}
        labels = [row for row in rows if sender_of(row) in senders]
        queue_ids = {queue_id for row in labels for queue_id in row["queue_ids"].split()}
        log = mail_log_lines(mail_log, senders, queue_ids)
        files[f"{part}.pcap.gz"] = zipped(capture_bytes(frame for sender, frame in frames if sender in senders))
        files[f"{part}.labels.csv.gz"] = zipped(label_bytes(labels))
        files[f"{part}.mail.log.gz"] = zipped("".join(log).encode())
        files[f"{part}.spamd_result.log.gz"] = zipped("".join(spamd_lines(spamd, log)).encode())
    return files


def attributed(frames: Iterable[CapturedFrame], rows: list[LabelRow]) -> list[tuple[str, CapturedFrame]]:
    """Every frame with its sender; frames of no labelled flow are left out."""
    senders = {}
    for row in rows:
        ends = ((row["client_ip"], row["client_port"]), (row["server_ip"], row["server_port"]))
        senders[frozenset(ends)] = sender_of(row)
    found = []
    for frame in frames:
        _, packet = decode_frame(frame.data, frame.wire_length, None)
        if packet is not None:
            ends = ((packet.source, packet.source_port), (packet.destination, packet.destination_port))
            key = frozenset((_dotted(address), str(port)) for address, port in ends)
            if key in senders:
                found.append((senders[key], frame))
    return found


def _dotted(address: int) -> str:
    return ".".join(map(str, address.to_bytes(4, "big")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("maillab", type=Path, help="folder with " + ", ".join(_FILES))
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    capture, labels, mail_log, spamd = (arguments.maillab / name for name in _FILES)
    try:
        rows = [row for _, row in read_rows(labels, ("client_ip", "server_ip", "label", "queue_ids"))]
        frames = attributed(read_capture(capture), rows)
        logs = [gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True) for path in (mail_log, spamd)]
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    low, high = 0, 100
    while low < high:  # the largest share that fits
        percent = (low + high + 1) // 2
        size = sum(map(len, slice_files(frames, rows, *logs, percent).values()))
        low, high = (percent, high) if size <= MAX_BYTES else (low, percent - 1)
    files = slice_files(frames, rows, *logs, low)
    for name, data in files.items():
        (arguments.out / name).write_bytes(data)
    print(f"{low} % of the senders of each class, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
