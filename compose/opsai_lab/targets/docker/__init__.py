"""A local cluster in containers: Docker Compose brings it up, the Docker Engine harms it."""
