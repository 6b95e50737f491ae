"""edgeloop: from a dataset and a list of devices to a measured, chosen and registered model per device class."""

__version__ = "0.1.0"
