#!/usr/bin/env bash
# One database and one role a service, run once on an empty volume. Nobody else can connect: PUBLIC's right is taken away.
# SERVICES names them; each role's password is SERVICE_PASSWORD.
set -euo pipefail

for service in ${SERVICES:?the services that own a database}; do
  psql --set=ON_ERROR_STOP=1 --set=service="$service" --set=password="${SERVICE_PASSWORD:?the roles need a password}" \
    --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
    CREATE ROLE :"service" LOGIN PASSWORD :'password';
    CREATE DATABASE :"service" OWNER :"service";
    REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done
