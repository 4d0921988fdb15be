"""What is wrong with a job's data, before a training finds out? Lengths, repeats, leaks, odd examples."""

from seqloom.datacheck.check import check_data
from seqloom.datacheck.report import DataReport, Finding, Lengths, Measured, Tagged

__all__ = ["DataReport", "Finding", "Lengths", "Measured", "Tagged", "check_data"]
