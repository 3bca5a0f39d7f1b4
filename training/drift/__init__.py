"""Drift: forests against time, the alarm that tells it, and a second forest beside the first."""
