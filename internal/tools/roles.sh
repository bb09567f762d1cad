#!/usr/bin/env bash
# Run once by the postgres image, on an empty data directory: the program's role, which owns nothing. The tables belong
# to POSTGRES_USER, who migrates and grants this role what it may do.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --set password="$BERKAS_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
create role berkas login password :'password';
revoke create on schema public from public;
SQL
