"""RGMII on the ECP5: a byte a clock of 125 MHz, half of it on each edge."""

from typing import Any

from amaranth.build import Platform
from amaranth.hdl import C, ClockDomain, ClockSignal, Const, DomainRenamer, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib.cdc import ResetSynchronizer

from hdl.gmii import GmiiReceiver

from .pins import put_out, taken_in

__all__ = ["CLOCK_HZ", "rgmii_receiver", "rgmii_transmitter"]

CLOCK_HZ = 125_000_000

_RECEIVE_DELAY_STEPS = 80
"""Of 25 ps: the PHY gives data and clock at once, and the middle of the data is 2 ns behind the edge."""


def rgmii_receiver(m: Module, platform: Platform, pins: Any, domain: str) -> GmiiReceiver:
    """A receiver behind the pins, in a domain of its own that runs on the clock of the PHY."""
    m.domains += ClockDomain(domain)
    m.submodules[f"reset_{domain}"] = ResetSynchronizer(ResetSignal("sync"), domain=domain)
    platform.add_clock_constraint(pins.rx_clk.io, CLOCK_HZ)
    clock = Signal(name=f"{domain}_clk")
    m.d.comb += [clock.eq(taken_in(m, pins.rx_clk)), ClockSignal(domain).eq(clock)]

    receiver = GmiiReceiver()
    m.submodules[f"receiver_{domain}"] = DomainRenamer(domain)(receiver)
    control, data = taken_in(m, pins.rx_ctl), taken_in(m, pins.rx_data)
    both_wrong = Signal()
    for bit in range(4):
        _in(m, domain, data[bit], receiver.data[bit], receiver.data[4 + bit])
    _in(m, domain, control, receiver.valid, both_wrong)
    # On the falling edge there is RX_DV xor RX_ER.
    m.d.comb += receiver.error.eq(receiver.valid ^ both_wrong)
    return receiver


def rgmii_transmitter(m: Module, pins: Any, data: Value, valid: Value, domain: str) -> None:
    """Drive the pins from GMII in a domain; the clock leaves with the data, and the PHY delays it."""
    for pin, rising, falling in (
        (pins.tx_clk, C(1), C(0)),
        (pins.tx_ctl, valid, valid),
    ):
        put_out(m, pin, _out(m, domain, rising, falling))
    nibble = Signal(4)
    for bit in range(4):
        m.d.comb += nibble[bit].eq(_out(m, domain, data[bit], data[4 + bit]))
    put_out(m, pins.tx_data, nibble)


def _in(m: Module, domain: str, pin: Value, rising: Value, falling: Value) -> None:
    delayed = Signal()
    m.submodules += Instance(
        "DELAYG",
        p_DEL_MODE="USER_DEFINED",
        p_DEL_VALUE=_RECEIVE_DELAY_STEPS,
        i_A=pin,
        o_Z=delayed,
    )
    m.submodules += Instance(
        "IDDRX1F", i_D=delayed, i_SCLK=ClockSignal(domain), i_RST=Const(0), o_Q0=rising, o_Q1=falling
    )


def _out(m: Module, domain: str, rising: Value, falling: Value) -> Signal:
    pin = Signal()
    m.submodules += Instance("ODDRX1F", i_D0=rising, i_D1=falling, i_SCLK=ClockSignal(domain), i_RST=Const(0), o_Q=pin)
    return pin
