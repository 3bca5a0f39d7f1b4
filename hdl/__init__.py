"""Amaranth components of the probe, one a file, each with the integer model of its arithmetic beside it."""
