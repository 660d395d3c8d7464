"""The supply of the image: its packages, their licences and known vulnerabilities."""
