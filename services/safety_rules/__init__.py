"""The rules: facts are folded into graded records, and stopping rules decide."""
