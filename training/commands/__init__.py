"""One command of ``python -m training`` a file."""
