"""Readiness checks: is every room fit for the meeting, shown by what was measured."""
