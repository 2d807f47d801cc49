"""Which vehicle, in which order: the Problem of a round, its one evaluator, its searches and its independent audit."""
