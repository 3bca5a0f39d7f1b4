"""One file a board, the toolchain that builds for it, and flashing."""
