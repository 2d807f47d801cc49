"""Whether what is said of orders comes true: on invented days, on real delivery minutes, after a step."""
