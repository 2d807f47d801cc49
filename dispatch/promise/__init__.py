"""What may be promised: when an order comes, with what probability, learnt from what has been delivered."""
