"""The parts of `aegis run`: a process, its edges, its threads, its gauges."""
