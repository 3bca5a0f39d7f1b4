"""Memories that nobody writes: registers behind tables of constants."""

from collections.abc import Iterator
from typing import NamedTuple

from ..errors import InputError

__all__ = ["Lookup", "RomBit", "rom_bits"]


class Lookup(NamedTuple):
    """A table of constants: bit n of ``table`` when the address, its lowest bit first, reads n."""

    name: str
    address: tuple[int | str, ...]
    table: int


class RomBit(NamedTuple):
    """A bit that a memory gives: a register of ``lookup``; its net, enable and clock."""

    net: int
    lookup: Lookup
    enable: int | str
    clock: int | str


def rom_bits(name: str, cell: dict) -> Iterator[RomBit]:
    """The bits of all ports of a ``$mem_v2`` cell; raises :class:`InputError` if it is anything but a plain ROM."""
    number = {key: int(value, 2) for key, value in cell["parameters"].items() if set(value) <= {"0", "1"} and value}
    pins = cell["connections"]
    width, ports, address_bits = number["WIDTH"], number["RD_PORTS"], number["ABITS"]
    all_ports = (1 << ports) - 1
    plain = (
        number["WR_PORTS"] == 0
        and number["OFFSET"] == 0
        and number["SIZE"] == 1 << address_bits
        and number["RD_CLK_ENABLE"] & all_ports == all_ports
        and number["RD_CLK_POLARITY"] & all_ports == all_ports
        and number["RD_WIDE_CONTINUATION"] & all_ports == 0
        and {*pins["RD_ARST"], *pins["RD_SRST"]} == {"0"}
    )
    # The lowest word comes last.
    contents = cell["parameters"]["INIT"][::-1]
    if not plain or len(contents) != width * number["SIZE"] or set(contents) - {"0", "1"}:
        raise InputError(f"memory {name} is no table of constants with registers that only an enable holds")
    for bit in range(width):
        table = int(contents[bit::width][::-1], 2)
        for port in range(ports):
            net = pins["RD_DATA"][port * width + bit]
            if isinstance(net, int):
                address = tuple(pins["RD_ADDR"][port * address_bits : (port + 1) * address_bits])
                yield RomBit(net, Lookup(name, address, table), pins["RD_EN"][port], pins["RD_CLK"][port])
