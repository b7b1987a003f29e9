"""Faults of rooms, found in what they send: black, frozen, silent, clipped, humming, echoing.

Pure functions of samples, pictures and levels. What is found is a value with a unit; from when it
is trouble, and until when, is said by ``alarm``'s rules.
"""
