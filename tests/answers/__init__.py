"""Answers to the exercises, one module a notebook; `test_exercises.py` puts them.

`RIGHT` has right answers in several forms, and `WRONG` wrong ones with a piece of their hint, by the number
of the exercise. `GIVEN` is what the notebook hands over besides the answer.
"""
