"""Settings: one schema, presets, and the settings of releases gone by."""
