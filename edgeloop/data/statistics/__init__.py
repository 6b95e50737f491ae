"""The statistics of a table of any size, read out of core, and expectations answered from them.

A `Table` is Parquet that is opened with a bound on memory and threads; `statistics_of` turns it into a
`TableStatistics`, a frozen value of a few kilobytes. Two such values of disjoint parts merge into that of the whole.

What equals what:

* The same rows in any order, in any number of files, with any number of threads give the same value: counts are whole
  numbers, extremes and order statistics are picked and not computed, sums are taken in whole numbers.
* Merging gives the value of the whole exactly for counts, bins, extremes and groups, and within rounding for mean and
  variance. Quantiles of merged parts are interpolated in the bins and say so. A distinct count stays exact while both
  parts list their values; otherwise it becomes a lower bound and says so.
"""

from edgeloop.data.statistics.merging import merged
from edgeloop.data.statistics.reading import statistics_of
from edgeloop.data.statistics.table import Table, opened
from edgeloop.data.statistics.values import ColumnStatistics, GroupCount, TableStatistics, ValueCount

__all__ = [
    "Table",
    "opened",
    "statistics_of",
    "merged",
    "TableStatistics",
    "ColumnStatistics",
    "ValueCount",
    "GroupCount",
]
