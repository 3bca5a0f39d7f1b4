"""Proof that an emitted forest circuit equals its forest for all inputs.

The proof of an unrolled circuit is cut where sums and votes meet, that of a walker into its tables and a step.
"""

from .prove import Proof, prove

__all__ = ["Proof", "prove"]
