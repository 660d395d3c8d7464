"""The simulator: draws a synthetic trial, its HL7 v2 feed, and the records that must follow.

Its answer key comes from the drawn scripts, never from the rules.
"""
