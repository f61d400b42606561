"""Property tests of the statistics have no deadline: a slow machine is not a wrong number."""

from hypothesis import settings

settings.register_profile("statistics", deadline=None)
settings.load_profile("statistics")
