"""Addresses among the options of commands."""

import ipaddress

from compiler.errors import InputError

__all__ = ["parse_address", "parse_servers"]


def parse_address(option: str, text: str) -> str:
    """An IP address in the form that flow files have."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError(f"{option}: must be an IP address, not {text!r}") from None


def parse_servers(texts: list[str] | None) -> frozenset[str]:
    """The addresses that ``--server`` gave."""
    return frozenset(parse_address("--server", text) for text in texts or ())
