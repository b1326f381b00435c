"""Data: from a name or a file to a stored, audited split.

sources/    where a log comes from: publishers, downloads, files of your own, generated data
tables/     CSV, TSV and Parquet files, read and parsed
prepare/    from a log to dense arrays, every step counted
split/      train, validation and test
audit/      what is wrong with a split
store/      a split on disk
manifest.py what a split says about itself, from provenance to audit
"""
