"""KYC: sign in by form, with and without grant_type, then read a resource."""
import os

import requests

base = os.environ["BASE_URL"]
form = {"username": os.environ["IDENTIFIER"], "password": os.environ["SECRET"]}

for extra in ({}, {"grant_type": "password"}):
    response = requests.post(f"{base}/auth/jwt/login", data={**form, **extra}, timeout=30)
    response.raise_for_status()
    token = response.json()["access_token"]
    resource = requests.get(
        f"{base}/api/v1/resource",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    resource.raise_for_status()
print(resource.text)

refused = requests.post(f"{base}/auth/jwt/login", data={**form, "password": "wrong"}, timeout=30)
assert refused.status_code == 400 and refused.json()["detail"] == "LOGIN_BAD_CREDENTIALS", refused.text
