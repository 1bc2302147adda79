"""Figures and tables from run folders: ``python -m figures NAME runs='<glob>' out=<folder>``.

Nothing here trains or simulates; a figure is a function of `config.yaml`, `metrics.parquet`, `timeline.parquet`,
`links.parquet`, `spans.parquet` and `summary.json`. Each figure writes NAME.pdf, NAME.png and NAME.csv, the last
holding exactly the plotted numbers.
"""
