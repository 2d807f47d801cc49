"""Invented cities and days."""
