"""Datafiniti: sign in by JSON, then call with the token."""
import json
import os

import requests

base = os.environ["BASE_URL"]
answer = requests.post(
    f"{base}/v4/auth",
    headers={"Content-Type": "application/json"},
    json={"email": os.environ["IDENTIFIER"], "password": os.environ["SECRET"]},
    timeout=30,
)
token = answer.json()["token"]
data = requests.get(f"{base}/v4/data", headers={"Authorization": "Bearer " + token}, timeout=30)
print(json.dumps(data.json(), separators=(",", ":")))
