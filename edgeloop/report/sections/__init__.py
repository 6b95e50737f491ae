"""The sections of the page, one a file: from what the steps wrote to what is shown."""
