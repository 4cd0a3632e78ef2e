#!/bin/sh
# Datafiniti: sign in, then call with the token.
set -eu
answer=$(curl -sS -X POST "$BASE_URL/v4/auth" -H 'Content-Type: application/json' \
  -d "{\"email\":\"$IDENTIFIER\",\"password\":\"$SECRET\"}")
token=$(printf '%s' "$answer" | sed -n 's/^{"token":"\([^"]*\)"}$/\1/p')
curl -sS "$BASE_URL/v4/data" -H "Authorization: Bearer $token"
