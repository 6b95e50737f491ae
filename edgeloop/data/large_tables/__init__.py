"""Tables that do not fit into memory: judged, and a suite proposed for them, out of core.

    staging.py     the user's files, CSV or Parquet, become Parquet of one schema in a scratch folder, row by row as
                   `edgeloop.data.tables` reads them
    cells.py       what a column holds, and a cell as a value, by the rules of `edgeloop.data.cells`, in SQL
    roles.py       id, label, group, split, time and the error of each row, by the rules of the source `table`, in SQL
    derivation.py  what only the whole table can tell of a row, as `edgeloop.data.frame` and `table_frame` say it
    rows.py        all of these as one table, which a suite looks at
    judgement.py   a suite answered on it
    changes.py     what changed since the suite was written
    proposal.py    a suite proposed from it

The table has the columns that `edgeloop.data.frame` gives of a table that fits, with these differences:

* No splits are drawn, for nothing is prepared: `split` is what the data itself says, null where it says nothing.
* `sha256` and `boxes` are null. Rows are compared by a hash of 64 bits: among ten million different rows two share one
  with a chance of 3 in a million.
* `copies_by_chance` is told of rows that have copies, and 0 of all others, for which nothing depends on it.
* `tells_target` is told from another draw of as many rows.
* A row of more than a mebibyte is no error.
"""
