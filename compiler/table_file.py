"""Table files: a forest as a walker that is running takes it."""

from pathlib import Path

from hdl.table_loader import table_image
from hdl.walker_parameters import WalkerSize

from .atomic import check_file_target, replacing
from .errors import InputError
from .forest import Forest
from .forest_json import read_forest
from .manifest import read_manifest
from .plan import forest_parameters

__all__ = ["table_image_for", "write_tables"]


_OF_THE_PROBE = ("ports", "orientation", "directions", "min_packets", "prefix")
"""What a forest says of the probe around it, which stays as it is."""


def write_tables(forest: Forest, directory: str | Path, path: str | Path) -> int:
    """Write the image of a forest for the walker of an export; give the bytes it has (docs/tables.md).

    :class:`InputError` as :func:`table_image_for`.
    """
    image = table_image_for(forest, directory)
    check_file_target(path)
    with replacing(path) as fresh:
        fresh.write_bytes(image)
    return len(image)


def table_image_for(forest: Forest, directory: str | Path) -> bytes:
    """The image of a forest for the walker of an export.

    :class:`InputError` when the export is no walker that can be loaded, has other features, is too small, or is a probe
    that handles flows otherwise.
    """
    manifest = read_manifest(directory)
    architecture = manifest.architecture
    if not architecture.get("loadable"):
        raise InputError(f"{directory}: is no walker whose tables can be loaded; export with --loadable")
    exported = read_forest(Path(directory) / "forest.json")
    if forest.columns != exported.columns:
        raise InputError(f"forest {forest.name!r}: must have the features that {directory} was exported with")
    for name in _OF_THE_PROBE if manifest.top == "probe" else ():
        ours, theirs = getattr(forest, name), getattr(exported, name)
        if ours != theirs:
            raise InputError(
                f"forest {forest.name!r}: {name} must be {theirs!r}, as of the forest of {directory}, not {ours!r}"
            )
    size, forest_id = WalkerSize(**architecture["size"]), int(forest.id, 16)
    try:
        return table_image(forest_parameters(forest), size, forest_id, monitor_only=forest.monitor_only)
    except ValueError as error:
        raise InputError(f"forest {forest.name!r}: is too large for {directory}: {error}") from None
