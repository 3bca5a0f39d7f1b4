"""HalfSipHash against its published vectors, and the identity of a flow against the bytes it stands for."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdl.half_siphash import half_siphash
from sim.headers import Packet
from sim.identity import Endpoint, Endpoints, Pseudonym, address_text, endpoints_of, identity_of, pseudonym_of

KEY = int.from_bytes(bytes(range(8)), "little")
WORD = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("length", "expected"), [(0, 0xC83CB8B9591F8D21), (1, 0x157338F8122455BE), (2, 0x57EB507CEF394F06)]
)
def test_published_vectors(length, expected):
    assert half_siphash(bytes(range(length)), KEY) == expected


def packet_of(version, source, destination, source_port, destination_port):
    return Packet(version, source, destination, source_port, destination_port, 40, 0, 64, 0)


@given(
    version=st.sampled_from([4, 6]),
    addresses=st.tuples(*[st.integers(0, 2**128 - 1)] * 2),
    ports=st.tuples(*[st.integers(0, 2**16 - 1)] * 2),
    key=st.integers(0, 2**64 - 1),
)
def test_identity_is_the_hash_of_the_ordered_endpoints(version, addresses, ports, key):
    size = 4 if version == 4 else 16
    addresses = [address % 2 ** (8 * size) for address in addresses]
    (low, low_port), (high, high_port) = sorted(zip(addresses, ports, strict=True))
    # HalfSipHash takes words with the least significant byte first.
    message = b"".join(
        address.to_bytes(size, "big")[at : at + 4][::-1] for address in (low, high) for at in range(0, size, 4)
    )
    message += (low_port << 16 | high_port).to_bytes(4, "little") + b"\x06"
    assert len(message) == (13 if version == 4 else 37)
    for one, two in ((0, 1), (1, 0)):
        endpoints, sender_low = endpoints_of(packet_of(version, addresses[one], addresses[two], ports[one], ports[two]))
        assert identity_of(endpoints, key) == half_siphash(message, key)
        assert sender_low == ((addresses[one], ports[one]) <= (addresses[two], ports[two]))


def test_address_before_port():
    endpoints, sender_low = endpoints_of(packet_of(4, 1, 2, 60000, 25))
    assert endpoints.lower == Endpoint(1, 60000)
    assert sender_low


def test_flows_that_were_made_to_collide_under_another_key_do_not_under_the_secret_one():
    sets, wanted = 256, 300
    server = Endpoint(0xC6120001, 25)
    aimed_at = iter(
        endpoints
        for client in range(1 << 20)
        for endpoints in [Endpoints(4, Endpoint(0x0A000000 + client, 1024 + client % 60000), server)]
        if identity_under_the_other_key(endpoints) % sets == 0
    )
    flows = [next(aimed_at) for _ in range(wanted)]
    expected = wanted * (wanted - 1) / 2 / sets
    for secret in (0x0123456789ABCDEF, 0xFEDCBA9876543210, KEY ^ 1 << 63):
        counts = Counter(identity_of(flow, secret) % sets for flow in flows)
        pairs = sum(count * (count - 1) // 2 for count in counts.values())
        # Of flows at random the number of pairs in a set has about this mean and variance.
        assert abs(pairs - expected) < 5 * expected**0.5


def identity_under_the_other_key(endpoints):
    """The identity under the key that the attacker believes in."""
    return identity_of.__wrapped__(endpoints, KEY)


@given(version=st.sampled_from([4, 6]), address=st.integers(0, 2**128 - 1), key=st.integers(0, 2**64 - 1))
def test_a_pseudonym_is_the_hash_of_the_address(version, address, key):
    size = 4 if version == 4 else 16
    address %= 2 ** (8 * size)
    message = b"".join(address.to_bytes(size, "big")[at : at + 4][::-1] for at in range(0, size, 4))
    pseudonym = pseudonym_of(version, address, key)
    assert pseudonym == half_siphash(message, key)
    assert address_text(version, pseudonym) == f"{pseudonym:016x}"
    assert address_text(version, Pseudonym(1)) == "0000000000000001"
