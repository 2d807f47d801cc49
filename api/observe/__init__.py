"""What operations watch: metrics, logs, times of the disk."""
