"""What an order is charged, and what serving it costs in the plan of now."""
