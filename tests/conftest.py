"""Settings of the whole suite."""

from hypothesis import HealthCheck, settings

from boards.toolchain import set_environment

# Circuits are elaborated and simulated inside examples: time says nothing. A failure prints what repeats it.
settings.register_profile(
    "hedgerow", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("hedgerow")

set_environment()
