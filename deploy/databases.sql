-- What the two servers keep their tables in. PostgreSQL's image runs this once, when its volume is new.
CREATE DATABASE mlflow;
CREATE DATABASE mlflow_users;
CREATE DATABASE prefect;
