"""Figures of riders as people, made from events alone."""
