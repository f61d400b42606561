"""Fixtures of other folders that tests of the store use."""

from tests.catalogs import postgres_server  # noqa: F401
from tests.shared_places import place, s3_server  # noqa: F401
