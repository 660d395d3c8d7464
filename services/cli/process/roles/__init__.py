"""The parts that each role adds to a process."""
