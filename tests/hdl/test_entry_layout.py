"""EntryLayout: nothing overlaps, and what is written is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from hdl.accumulator import OCTETS, PACKETS, Accumulator
from hdl.entry_layout import EntryLayout, EntryWord

_NAMES = sorted(name for name, f in CATALOGUE.items() if f.statistic not in ("variance", "duration"))


@given(st.lists(st.sampled_from(_NAMES), unique=True), st.randoms(use_true_random=False))
def test_slots_keep_apart_what_is_written(names, rng):
    layout = EntryLayout(accumulators_of(names))
    assert (layout.slots[PACKETS].word, layout.slots[PACKETS].shift) == (0, 0)
    record = [0] * layout.record_words
    written = {}
    for response in (False, True):
        block = (layout.response if response else EntryWord.FORWARD) - EntryWord.STATE
        for accumulator, slot in layout.slots.items():
            value = rng.getrandbits(accumulator.width)
            written[response, accumulator] = value
            assert record[block + slot.word] >> slot.shift & (1 << slot.width) - 1 == 0
            record[block + slot.word] |= value << slot.shift
    assert max(record).bit_length() <= 32
    for response in (False, True):
        read = layout.read(record, response=response)
        assert read == {a: written[response, a] for a in layout.accumulators}


def test_the_universal_features_take_32_words():
    layout = EntryLayout(accumulators_of(UNIVERSAL))
    assert (layout.words, layout.stride) == (32, 32)


@pytest.mark.parametrize(
    ("accumulators", "message"),
    [
        ((OCTETS,), "must keep packets and octets"),
        ((PACKETS, OCTETS, PACKETS), "must keep each accumulator once"),
        ((PACKETS, OCTETS, Accumulator("add", "length_squared")), "must fit 32 bits, not 48"),
    ],
)
def test_wrong_layouts(accumulators, message):
    with pytest.raises(ValueError, match=message):
        EntryLayout(accumulators)
