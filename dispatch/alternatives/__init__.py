"""From where and to where an order may go: which of its sources and ends are open now, and what is chosen."""
