// PagFast: the whole body of the answer is the token.
const base = process.env.BASE_URL

const answer = await fetch(`${base}/login`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ accessKey: process.env.IDENTIFIER, secret: process.env.SECRET }),
})
if (answer.status !== 201) throw new Error(`login: ${answer.status}`)
const partners = await fetch(`${base}/partners`, { headers: { Authorization: `Bearer ${await answer.text()}` } })
console.log(JSON.stringify(await partners.json()))
