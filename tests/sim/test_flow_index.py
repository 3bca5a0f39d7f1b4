"""sim.flow_index: groups and rows of keys, also of those whose hashes agree."""

import numpy as np
import pytest

from sim import flow_index
from sim.flow_index import FlowIndex, group_by_key, hash_keys, stable_order


def random_keys(count, different, seed, words=2):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 1 << 63, (words, different), np.uint64)[:, generator.integers(0, different, count)]


@pytest.mark.parametrize("count", [1, 2, 5, 1000])
def test_groups(count):
    keys = random_keys(count, 100, 1)
    for hashes in (hash_keys(keys), hash_keys(keys) % np.uint64(3) << np.uint64(60), np.zeros(count, np.uint64)):
        order, starts = group_by_key(keys, hashes)
        assert sorted(order.tolist()) == list(range(count))
        groups = np.split(order, starts[1:])
        for group in groups:
            assert (keys[:, group] == keys[:, group[:1]]).all()
            assert (np.diff(group) > 0).all()
        assert len(groups) == np.unique(keys, axis=1).shape[1]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize("most", [1, 20, 1 << 16, 1 << 17, 1 << 40, 1 << 63])
def test_order_of_equal_numbers_is_kept(dtype, most):
    different = np.random.default_rng(2).integers(0, most, 500, np.uint64).astype(dtype)
    numbers = different[np.random.default_rng(3).integers(0, 500, 5000)]
    assert stable_order(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()


@pytest.mark.parametrize("weak", [False, True])
def test_rows_are_found_again(monkeypatch, weak):
    def hashes_of(keys, strong=hash_keys):
        return strong(keys) % np.uint64(5) << np.uint64(20) if weak else strong(keys)

    monkeypatch.setattr(flow_index, "hash_keys", hashes_of)
    generator, index, known = np.random.default_rng(3), FlowIndex(6), {}
    every = np.unique(generator.integers(0, 1 << 20, (6, 400 if weak else 40_000), np.uint64), axis=1)
    for _ in range(10):
        keys = every[:, generator.permutation(every.shape[1])[: every.shape[1] // 3]]
        numbers, rows = index.find(keys, hashes_of(keys))
        assert rows.tolist() == [known.get(tuple(key), -1) for key in keys.T.tolist()]
        assert (index.keys(numbers) == keys).all()
        fresh = generator.integers(0, 1 << 40, len(rows))
        index.set_rows(numbers, fresh)
        known |= zip(map(tuple, keys.T.tolist()), fresh.tolist(), strict=True)
