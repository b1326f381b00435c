"""Surprise's rating models (Hug 2020, doi:10.21105/joss.02174), scored from the arrays they learn.

Surprise predicts one pair per Python call, 1.6 million calls for one ranking of MovieLens-100K. The
arrays that it learns give the same numbers in bulk; the tests compare them with its own ``predict``.
All models are for explicit feedback: they learn from every rating and rank by the rating they predict.
The files of the models are light; training.py holds what is imported or compiled before the clock starts.
"""
