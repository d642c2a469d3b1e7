#!/usr/bin/env bash
# Starts `npm run dev`, runs the demo against it, ends it with Ctrl-C's signal, and looks for what it left behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
log=$(mktemp)
setsid npm run dev >"$log" 2>&1 &
dev=$!
trap 'kill -INT -- "-$dev" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 120); do
  if grep -q 'ready in' "$log"; then break; fi
  if ! kill -0 "$dev" 2>/dev/null; then cat "$log"; exit 1; fi
  sleep 1
done
if ! grep -q 'ready in' "$log"; then cat "$log"; exit 1; fi
npm run demo || { cat "$log"; exit 1; }
ports=$(grep -oE '127\.0\.0\.1:[0-9]+' .weft/dev.json | cut -d: -f2 | sort -u)

kill -INT -- "-$dev"
wait "$dev" || true
left=$(ps -eo pid=,sid=,args= | awk -v sid="$dev" '$2 == sid' || true)
if [ -n "$left" ]; then printf 'left running:\n%s\n' "$left"; exit 1; fi
for port in $ports; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "port $port is still open"; exit 1; fi
done
echo 'dev: ready, demo done, nothing left'
