"""Street travel times beside their peers."""
