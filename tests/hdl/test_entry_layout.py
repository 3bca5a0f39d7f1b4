"""EntryLayout: nothing overlaps, and what is written is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from hdl.accumulator import OCTETS, PACKETS
from hdl.entry_layout import EntryLayout, EntryWord

_NAMES = sorted(name for name, f in CATALOGUE.items() if f.statistic != "duration")


@given(st.lists(st.sampled_from(_NAMES), unique=True), st.randoms(use_true_random=False))
def test_slots_keep_apart_what_is_written(names, rng):
    layout = EntryLayout(accumulators_of(names))
    assert (layout.slots[PACKETS].word, layout.slots[PACKETS].shift) == (0, 0)
    record = [0] * layout.record_words
    written = {}
    for response in (False, True):
        block = (layout.response if response else EntryWord.FORWARD) - EntryWord.STATE
        values = {accumulator: rng.getrandbits(accumulator.width) for accumulator in layout.accumulators}
        written |= {(response, accumulator): value for accumulator, value in values.items()}
        record[block : block + layout.block_words] = layout.place(values)
        alone = {a: layout.place(dict.fromkeys(values, 0) | {a: value}) for a, value in values.items()}
        assert [sum(words) for words in zip(*alone.values(), strict=True)] == layout.place(values)
        assert all(slot.word % 2 == 0 for slot in layout.slots.values() if slot.width > 32)
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
    ],
)
def test_wrong_layouts(accumulators, message):
    with pytest.raises(ValueError, match=message):
        EntryLayout(accumulators)
