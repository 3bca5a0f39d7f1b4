"""Proof that an emitted forest circuit equals its forest for all inputs, cut where sums and votes meet."""

from .prove import Proof, prove

__all__ = ["Proof", "prove"]
