"""One command of ``python -m compiler`` a file."""
