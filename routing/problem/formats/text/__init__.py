"""Parts of text formats."""
