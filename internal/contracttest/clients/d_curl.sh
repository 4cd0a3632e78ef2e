#!/bin/sh
# PagFast: the whole body of the answer is the token.
set -eu
token=$(curl -sS -X POST "$BASE_URL/login" -H 'Content-Type: application/json' \
  -d "{\"accessKey\":\"$IDENTIFIER\",\"secret\":\"$SECRET\"}")
curl -sS "$BASE_URL/partners" -H "Authorization: Bearer $token"
