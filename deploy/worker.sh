#!/bin/sh
# Deploys the flows of prefect.yaml to the server in PREFECT_API_URL, and runs them from this folder.
set -eu
export PREFECT_CLI_PROMPT=false

prefect work-pool create faultxfer --type process --overwrite
prefect deploy --all
exec prefect worker start --pool faultxfer
