"""Speed and memory of Aegis, each figure beside what it is compared to in the same run."""
