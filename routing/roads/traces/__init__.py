"""What riders' positions tell of speeds: traces matched to streets, and speeds learnt from them."""
