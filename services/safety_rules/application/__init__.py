"""The use cases of the rules, one transaction each: fold, record, decide."""
