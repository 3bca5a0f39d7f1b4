"""sim.capture_blocks: the frames of sim.capture, wherever a block ends and wherever the file goes wrong.

That every file of tests/sim/test_capture.py gives the same in blocks is tested there.
"""

import gzip
import random

import pytest

from compiler.errors import InputError
from sim.capture import read_capture
from sim.capture_blocks import read_blocks
from sim.record_chain import MAX_CAPTURED
from tests.sim.block_frames import frames_of, seen
from tests.sim.capture_files import enhanced_block, interface_block, pcap, section_block

SMALLEST = 16 + MAX_CAPTURED


def both(path, content, block_bytes=SMALLEST):
    """What was read in blocks, after checking that it is what was read frame by frame; and the number of blocks."""
    path.write_bytes(content)
    cuts, cuts_of_blocks = [], []
    frames = seen(read_capture(path, cuts.append))
    blocks = [frames_of(block) for block in read_blocks(path, cuts_of_blocks.append, block_bytes=block_bytes)]
    assert [frame for block in blocks for frame in block] == frames
    assert cuts_of_blocks == cuts
    return frames, cuts, len(blocks)


def random_frames(count, longest, seed=1):
    rng = random.Random(seed)
    lengths = [rng.randint(0, longest) for _ in range(count)]
    return [(n * 1_000_001_000, rng.randbytes(length), length + n % 3) for n, length in enumerate(lengths)]


@pytest.mark.parametrize("link", [1, 0, 101, 113, 276])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_several_blocks(tmp_path, link, pack):
    frames, cuts, blocks = both(tmp_path / "a.pcap", pack(pcap(random_frames(6000, 200), link=link)))
    assert (len(frames), cuts) == (6000, [])
    assert blocks >= 3


def test_longest_packets(tmp_path):
    frames = [(n, bytes([n]) * length, length) for n, length in enumerate([MAX_CAPTURED, 0, MAX_CAPTURED - 1, 70000])]
    assert both(tmp_path / "a.pcap", pcap(frames))[2] == 4
    with pytest.raises(ValueError, match="Block must hold a packet of 262160 bytes, not only 262159"):
        next(read_blocks(tmp_path / "a.pcap", block_bytes=SMALLEST - 1))


def test_cut_and_damaged_after_blocks(tmp_path):
    content = pcap(random_frames(6000, 200))
    for size in (SMALLEST + 24, SMALLEST + 25, len(content) - 1):
        assert len(both(tmp_path / "a.pcap", content[:size])[1]) == (size != len(content))
    packed = bytearray(gzip.compress(content, mtime=0))
    assert len(both(tmp_path / "a.pcap", bytes(packed[: len(packed) * 3 // 4]))[1]) == 1
    packed[len(packed) * 3 // 4 :] = bytes(len(packed) // 4)
    frames, (cut,), _ = both(tmp_path / "a.pcap", bytes(packed))
    assert cut.damaged
    assert len(frames) > 3000


def test_frames_of_pcapng_are_packed(tmp_path):
    content = section_block() + interface_block()
    content += b"".join(enhanced_block(t // 1000, data, wire) for t, data, wire in random_frames(6000, 200))
    assert both(tmp_path / "a.pcapng", content)[2] >= 3


def test_time_that_has_no_64_bits(tmp_path):
    path = tmp_path / "a.pcapng"
    content = section_block() + interface_block(options={14: (1 << 40).to_bytes(8, "little")})
    path.write_bytes(content + enhanced_block(0, b"", 60))
    with pytest.raises(InputError, match=r"a\.pcapng: packet 1 is dated after the year 2262$"):
        list(read_blocks(path))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_progress_counts_the_file(tmp_path, pack):
    path = tmp_path / "a.pcap"
    path.write_bytes(pack(pcap(random_frames(6000, 200))))
    told = []
    assert sum(len(block.starts) for block in read_blocks(path, on_progress=told.append, block_bytes=SMALLEST)) == 6000
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size
