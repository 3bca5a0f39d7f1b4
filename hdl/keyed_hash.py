"""KeyedHash: HalfSipHash-2-4 with 64 bits of digest, half a round a clock."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.half_siphash import half_siphash_words

__all__ = ["KeyedHash"]


class KeyedHash(wiring.Component):
    """Hashes messages of 32-bit words under a secret key.

    A message ends with the word that carries its length (see :mod:`hdl.half_siphash`). ``i`` takes a word when it
    has been absorbed whole, so the payload must hold until then, as a stream's does.

    **Latency**: 1 + 6 cycles a word + 18 from the last one; the next message may start in the cycle after the
    digest was taken. The low half of the digest is there 9 cycles before the whole of it.

    Attributes
    ----------
    key: 64 bits, byte 0 least significant; sampled when a message starts
    i: words of the message, ``last`` with the final one
    o: the digest; its low half stands in the low 32 bits
    low_valid: the low half of ``o`` is there, and stays until the digest is taken
    """

    model = staticmethod(half_siphash_words)

    def __init__(self):
        super().__init__(
            {
                "key": In(64),
                "i": In(stream.Signature(data.StructLayout({"data": 32, "last": 1}))),
                "o": Out(stream.Signature(64)),
                "low_valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        words = _Words(m)
        low = Signal(32, reset_less=True)
        step = Signal(3)
        m.d.comb += self.o.payload.eq(Cat(low, words.v1 ^ words.v3))

        with m.FSM() as fsm:
            with m.State("START"):
                words.start(self.key)
                with m.If(self.i.valid):
                    m.next = "ABSORB"
            self._absorb(m, words, step)
            self._finish(m, words, step, low)
            with m.State("DIGEST"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "START"
        m.d.comb += self.low_valid.eq(fsm.ongoing("FINAL_HIGH") | fsm.ongoing("DIGEST"))

        return m

    def _absorb(self, m, words, step):
        """Takes the words of the message, two rounds each."""
        with m.State("ABSORB"):
            with m.If(self.i.valid):
                m.d.sync += words.v3.eq(words.v3 ^ self.i.p.data)
                m.next = "ROUNDS"
        with m.State("ROUNDS"):
            words.half_round()
            m.d.sync += step.eq(step + 1)
            with m.If(step == 3):
                m.next = "MIX"
        with m.State("MIX"):
            m.d.comb += self.i.ready.eq(1)
            m.d.sync += [words.p.eq(words.p ^ self.i.p.data), step.eq(0)]
            with m.If(self.i.p.last):
                m.d.sync += words.q.eq(words.q ^ 0xEE)
                m.next = "FINAL_LOW"
            with m.Else():
                m.next = "ABSORB"

    def _finish(self, m, words, step, low):
        """Makes the digest, four rounds for each half."""
        with m.State("FINAL_LOW"):
            words.half_round()
            m.d.sync += step.eq(step + 1)
            with m.If(step == 7):
                m.next = "LOW"
        with m.State("LOW"):
            m.d.sync += [low.eq(words.v1 ^ words.v3), words.v1.eq(words.v1 ^ 0xDD)]
            m.next = "FINAL_HIGH"
        with m.State("FINAL_HIGH"):
            words.half_round()
            m.d.sync += step.eq(step + 1)
            with m.If(step == 7):
                m.next = "DIGEST"


class _Words:
    """The four words of the state, in the hash's module ``m``.

    They are named by role: in the first half of a round p is v0 and q is v2, in the second half they have changed
    places, so that both halves add, rotate and exchange in the same way.
    """

    def __init__(self, m):
        self.m = m
        self.p, self.q, self.v1, self.v3 = (Signal(32, reset_less=True) for _ in range(4))
        self.odd = Signal()
        self.p_sum, self.q_sum = Signal(32), Signal(32)
        m.d.comb += [self.p_sum.eq(self.p + self.v1), self.q_sum.eq(self.q + self.v3)]

    def start(self, key):
        key_low, key_high = key[:32], key[32:]
        self.m.d.sync += [
            self.p.eq(key_low),
            self.v1.eq(key_high ^ 0xEE),
            self.q.eq(key_low ^ Const(0x6C796765, 32)),
            self.v3.eq(key_high ^ Const(0x74656462, 32)),
        ]

    def half_round(self):
        turned_v1 = Mux(self.odd, self.v1.rotate_left(13), self.v1.rotate_left(5))
        turned_v3 = Mux(self.odd, self.v3.rotate_left(7), self.v3.rotate_left(8))
        self.m.d.sync += [
            self.v1.eq(turned_v1 ^ self.p_sum),
            self.v3.eq(turned_v3 ^ self.q_sum),
            self.q.eq(self.p_sum.rotate_left(16)),
            self.p.eq(self.q_sum),
            self.odd.eq(~self.odd),
        ]
