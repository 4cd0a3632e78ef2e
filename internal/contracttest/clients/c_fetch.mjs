// Datafiniti: sign in by JSON, then call with the token.
const base = process.env.BASE_URL

const answer = await fetch(`${base}/v4/auth`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ email: process.env.IDENTIFIER, password: process.env.SECRET }),
}).then((response) => response.json())
const data = await fetch(`${base}/v4/data`, { headers: { Authorization: `Bearer ${answer.token}` } })
console.log(JSON.stringify(await data.json()))
