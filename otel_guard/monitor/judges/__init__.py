"""The judges of rules, a file a group: questions to Postgres in, findings out."""
