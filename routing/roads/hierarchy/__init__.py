"""The hierarchy: what makes exact answers fast."""
