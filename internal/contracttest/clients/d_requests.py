"""PagFast: the whole body of the answer is the token."""
import os

import requests

base = os.environ["BASE_URL"]
answer = requests.post(
    f"{base}/login",
    json={"accessKey": os.environ["IDENTIFIER"], "secret": os.environ["SECRET"]},
    timeout=30,
)
assert answer.status_code == 201, answer.status_code
partners = requests.get(f"{base}/partners", headers={"Authorization": f"Bearer {answer.text}"}, timeout=30)
partners.raise_for_status()
print(partners.text)

refused = requests.post(f"{base}/login", json={"accessKey": os.environ["IDENTIFIER"], "secret": "wrong"}, timeout=30)
assert refused.status_code == 401, refused.status_code
assert refused.json()["error"]["details"]["reason"] == "AccessKeyUnauthorized", refused.text
