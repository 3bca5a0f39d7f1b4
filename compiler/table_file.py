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

__all__ = ["write_tables"]


def write_tables(forest: Forest, directory: str | Path, path: str | Path) -> int:
    """Write the image of a forest for the walker of an export; give the bytes it has (docs/tables.md).

    :class:`InputError` when the export is no walker that can be loaded, has other features, or is too small.
    """
    manifest = read_manifest(directory)
    architecture = manifest.architecture
    if not architecture.get("loadable"):
        raise InputError(f"{directory}: is no walker whose tables can be loaded; export with --loadable")
    columns = read_forest(Path(directory) / "forest.json").columns
    if forest.columns != columns:
        raise InputError(f"forest {forest.name!r}: must have the features that {directory} was exported with")
    try:
        image = table_image(forest_parameters(forest), WalkerSize(**architecture["size"]), int(forest.id, 16))
    except ValueError as error:
        raise InputError(f"forest {forest.name!r}: is too large for {directory}: {error}") from None
    check_file_target(path)
    with replacing(path) as fresh:
        fresh.write_bytes(image)
    return len(image)
