# Example files for the web servers.
