"""Settings of the whole suite."""

import pytest
from hypothesis import HealthCheck, settings

import compiler
from boards.toolchain import set_environment
from tests.forests import SMALL_FOREST, grown_forest

# Circuits are elaborated and simulated inside examples: time says nothing. A failure prints what repeats it.
settings.register_profile(
    "hedgerow", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("hedgerow")

set_environment()


@pytest.fixture(scope="session")
def loadable_probe(tmp_path_factory):
    """An export of a probe that can be loaded, with :data:`tests.forests.SMALL_FOREST`; tests leave it as it is."""
    directory = tmp_path_factory.mktemp("loadable") / "probe"
    compiler.export(SMALL_FOREST, directory, board="icebreaker", loadable=True)
    return directory


@pytest.fixture(scope="session")
def mail_probe(tmp_path_factory):
    """An export of a probe, compiled at most once by all tests that compile it; they leave it as it is."""
    directory = tmp_path_factory.mktemp("mail") / "probe"
    compiler.export(grown_forest(names=("maxpl", "rsp", "slas")), directory, board="icebreaker", top="probe")
    return directory
