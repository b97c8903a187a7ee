# Fuzz targets and their replays.
