"""Conferences: a pure machine (``decide``, ``evolve``, ``media_plan``) and its shell."""
