"""What a client reads by a URI, `opsai://…`: clusters, tickets, incident reports, diagnoses, evidence, knowledge."""
