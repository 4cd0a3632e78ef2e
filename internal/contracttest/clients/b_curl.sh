#!/bin/sh
# KYC: sign in, then read a resource.
set -eu
answer=$(curl -sS -X POST "$BASE_URL/auth/jwt/login" \
  -H 'Content-Type: application/x-www-form-urlencoded' \
  -d "username=$IDENTIFIER&password=$SECRET")
token=$(printf '%s' "$answer" | sed -n 's/^{"access_token":"\([^"]*\)","token_type":"bearer"}$/\1/p')
curl -sS "$BASE_URL/api/v1/resource" -H "Authorization: Bearer $token"
