"""TableLoading: which images are used, which are refused, and what becomes of single tables meanwhile."""

import dataclasses
import zlib

import pytest

from compiler.plan import forest_parameters
from hdl.item import CHUNK_BYTES, ItemKind
from hdl.walker_parameters import WalkerParameters
from sim.load_check import image_of, mirrored
from sim.table_loading import TableLoading, chunk_items
from tests.forests import grown_forest

FOREST = grown_forest(names=("maxpl", "rsp"), trees=3, depth=2)
OTHER = mirrored(FOREST)


def walker(*, double=False):
    parameters = WalkerParameters.of(
        forest_parameters(FOREST), loadable=True, double=double, forest_id=int(FOREST.id, 16)
    )
    size = dataclasses.replace(parameters.size, score_bits=parameters.size.score_bits + 2)
    return dataclasses.replace(parameters, size=size)


def taken(image, *, double=False, forests=(FOREST, OTHER)):
    """Forest, whether there are no tables, and how many were refused, after an image."""
    loading = TableLoading(walker(double=double), forests)
    for chunk in chunk_items(image):
        loading.take(chunk)
    return loading.forest, loading.incomplete, loading.refused


def with_checksum(content):
    return content + zlib.crc32(content).to_bytes(4, "little")


IMAGE = image_of(OTHER, walker())
PADDED = with_checksum(IMAGE[:-4] + bytes(CHUNK_BYTES))


@pytest.mark.parametrize("image", [IMAGE, PADDED], ids=["whole", "more padding"])
@pytest.mark.parametrize("double", [False, True])
def test_a_good_image_is_used(image, double):
    assert taken(image, double=double) == (OTHER, False, 0)


@pytest.mark.parametrize(
    ("image", "incomplete"),
    [
        (IMAGE[:-1] + b"\0", True),
        (IMAGE[:CHUNK_BYTES] + IMAGE[-CHUNK_BYTES:], True),
        (IMAGE + bytes(CHUNK_BYTES), True),
        (with_checksum(IMAGE[: 2 * CHUNK_BYTES - 4]), True),
        (with_checksum(b"\0" + IMAGE[1:-4]), False),
    ],
    ids=["damaged", "cut", "too long", "too short with a checksum", "of another size"],
)
def test_any_other_is_refused(image, incomplete):
    assert taken(image) == (FOREST, incomplete, 1)
    assert taken(image, double=True) == (FOREST, False, 1)


def test_the_flag_for_monitoring_is_that_of_the_image():
    flipped = with_checksum(IMAGE[:4] + bytes([1 - OTHER.monitor_only]) + IMAGE[5:-4])
    assert taken(flipped)[0] == dataclasses.replace(OTHER, monitor_only=not OTHER.monitor_only)


def test_a_forest_that_nobody_knows():
    with pytest.raises(ValueError, match=f"of a forest that is known, not of {OTHER.id}"):
        taken(IMAGE, forests=(FOREST,))


def test_chunks_of_an_image():
    first, *between, last = chunk_items(IMAGE)
    assert (first.kind, last.kind) == (ItemKind.FIRST_CHUNK, ItemKind.LAST_CHUNK)
    assert {chunk.kind for chunk in between} == {ItemKind.CHUNK}
    assert b"".join(chunk.body for chunk in (first, *between, last)) == IMAGE
    for wrong in (IMAGE[:-1], IMAGE[:CHUNK_BYTES], b""):
        with pytest.raises(ValueError, match="two or more chunks of 32 bytes, not"):
            chunk_items(wrong)


def test_a_mirrored_forest_answers_otherwise():
    rows = [[0, 0], [500, 3], [65535, 65535]]
    assert (OTHER.score(rows) != FOREST.score(rows)).any()
    assert OTHER.monitor_only is not FOREST.monitor_only
    assert mirrored(OTHER) == FOREST
