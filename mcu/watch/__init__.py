"""Watching rooms: what troubles them is found here, by rule and within a budget.

Pure: ``rules`` (readings → alarms), ``sound``, ``picture``, ``levels``, ``clock_drift``,
``rounds``, ``incident``. The shell, which hangs on the taps: ``conference_watch``, ``watcher``.
"""
