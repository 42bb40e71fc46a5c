"""Programs for the Java machine, whatever builds them: their images, how they are started, their sources and their libraries."""
