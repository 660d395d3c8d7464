"""Tables, words and steps that several commands use."""
