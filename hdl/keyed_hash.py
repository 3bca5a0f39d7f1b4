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
    digest was taken.

    Attributes
    ----------
    key: 64 bits, byte 0 least significant; sampled when a message starts
    i: words of the message, ``last`` with the final one
    o: the digest; its low half stands in the low 32 bits
    """

    model = staticmethod(half_siphash_words)

    def __init__(self):
        super().__init__(
            {
                "key": In(64),
                "i": In(stream.Signature(data.StructLayout({"data": 32, "last": 1}))),
                "o": Out(stream.Signature(64)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # The state words are named by role: in the first half of a round p is v0 and q is v2, in the second half
        # they have changed places, so that both halves add, rotate and exchange in the same way.
        p, q, v1, v3 = (Signal(32) for _ in range(4))
        odd = Signal()
        p_sum, q_sum = Signal(32), Signal(32)
        m.d.comb += [p_sum.eq(p + v1), q_sum.eq(q + v3)]

        def half_round():
            turned_v1 = Mux(odd, v1.rotate_left(13), v1.rotate_left(5))
            turned_v3 = Mux(odd, v3.rotate_left(7), v3.rotate_left(8))
            m.d.sync += [
                v1.eq(turned_v1 ^ p_sum),
                v3.eq(turned_v3 ^ q_sum),
                q.eq(p_sum.rotate_left(16)),
                p.eq(q_sum),
                odd.eq(~odd),
            ]

        low = Signal(32)
        step = Signal(3)
        m.d.comb += self.o.payload.eq(Cat(low, v1 ^ v3))

        with m.FSM():
            with m.State("START"):
                key_low, key_high = self.key[:32], self.key[32:]
                m.d.sync += [
                    p.eq(key_low),
                    v1.eq(key_high ^ 0xEE),
                    q.eq(key_low ^ Const(0x6C796765, 32)),
                    v3.eq(key_high ^ Const(0x74656462, 32)),
                ]
                with m.If(self.i.valid):
                    m.next = "ABSORB"
            with m.State("ABSORB"):
                with m.If(self.i.valid):
                    m.d.sync += v3.eq(v3 ^ self.i.p.data)
                    m.next = "ROUNDS"
            with m.State("ROUNDS"):
                half_round()
                m.d.sync += step.eq(step + 1)
                with m.If(step == 3):
                    m.next = "MIX"
            with m.State("MIX"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [p.eq(p ^ self.i.p.data), step.eq(0)]
                with m.If(self.i.p.last):
                    m.d.sync += q.eq(q ^ 0xEE)
                    m.next = "FINAL_LOW"
                with m.Else():
                    m.next = "ABSORB"
            with m.State("FINAL_LOW"):
                half_round()
                m.d.sync += step.eq(step + 1)
                with m.If(step == 7):
                    m.next = "LOW"
            with m.State("LOW"):
                m.d.sync += [low.eq(v1 ^ v3), v1.eq(v1 ^ 0xDD)]
                m.next = "FINAL_HIGH"
            with m.State("FINAL_HIGH"):
                half_round()
                m.d.sync += step.eq(step + 1)
                with m.If(step == 7):
                    m.next = "DIGEST"
            with m.State("DIGEST"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "START"

        return m
