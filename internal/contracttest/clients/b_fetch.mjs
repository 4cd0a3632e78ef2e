// KYC: sign in by form with grant_type, then read a resource.
const base = process.env.BASE_URL

async function login(password) {
  return fetch(`${base}/auth/jwt/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'password', username: process.env.IDENTIFIER, password }),
  })
}

const response = await login(process.env.SECRET)
if (!response.ok) throw new Error(`login: ${response.status}`)
const { access_token, token_type } = await response.json()
if (token_type !== 'bearer') throw new Error(`token_type: ${token_type}`)
const resource = await fetch(`${base}/api/v1/resource`, { headers: { Authorization: `Bearer ${access_token}` } })
console.log(JSON.stringify(await resource.json()))

const refused = await login('wrong')
if (refused.ok || (await refused.json()).detail !== 'LOGIN_BAD_CREDENTIALS') throw new Error('a wrong password was let in')
