"""The moment at which the tests of senders take place."""

from datetime import datetime

import pytest


@pytest.fixture(autouse=True)
def _day_of_the_records(monkeypatch):
    monkeypatch.setattr("training.commands.spammers._now", lambda: datetime(2026, 11, 24, 15, 0, 10))
