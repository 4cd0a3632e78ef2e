#!/bin/sh
# Instant Classification: sign in, then ask whom the token speaks for.
set -eu
answer=$(curl -sS -X POST "$BASE_URL/api/v1/login/access-token" \
  -H 'Content-Type: application/x-www-form-urlencoded' \
  -d "username=$IDENTIFIER&password=$SECRET")
token=$(printf '%s' "$answer" | sed -n 's/^{"access_token":"\([^"]*\)","token_type":"bearer"}$/\1/p')
curl -sS -X POST "$BASE_URL/api/v1/login/test-token" -H "Authorization: Bearer $token"
