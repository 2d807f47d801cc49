"""Turn-aware graphs: what one may drive after what."""
