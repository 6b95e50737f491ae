"""The pictures of the page, one a file, as SVG. Units are those of the picture: about one CSS pixel."""
