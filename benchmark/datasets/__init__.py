"""Data: from a name or a file to a stored, audited split.

sources/    where a log comes from: publishers, downloads, files of your own, generated data
tables/     what files hold, read and parsed
prepare/    from a log to dense arrays, every step counted
split/      train, validation and test
store/      a split on disk
audit/      what is wrong with a split
"""
