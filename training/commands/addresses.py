"""Addresses among the options of commands."""

import ipaddress

from compiler.errors import InputError

__all__ = ["parse_address"]


def parse_address(option: str, text: str) -> str:
    """An IP address in the form that flow files have."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError(f"{option}: must be an IP address, not {text!r}") from None
