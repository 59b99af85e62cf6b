#!/bin/sh
# Deploys each family of deployments.yaml, or of data_contracts/, to the server in PREFECT_API_URL, and runs the flows.
set -eu
export PREFECT_CLI_PROMPT=false

faultxfer deployments write
prefect work-pool create faultxfer --type process --overwrite
prefect deploy --all
faultxfer deployments refresh
exec prefect worker start --pool faultxfer
