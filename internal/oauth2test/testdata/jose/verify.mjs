// Finds an issuer's keys by its metadata, and verifies the tokens on standard input,
// one a line, as a resource server would (RFC 9068 section 4). For each it prints a
// line: the claims, or why the token is refused.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { createInterface } from "node:readline";

const [issuer, audience] = process.argv.slice(2);
const metadata = await (await fetch(issuer + "/.well-known/oauth-authorization-server")).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
for await (const token of createInterface({ input: process.stdin })) {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: metadata.issuer,
      audience,
      typ: "at+jwt",
      algorithms: ["ES256"],
      requiredClaims: ["iss", "exp", "aud", "sub", "iat", "jti"],
    });
    console.log(JSON.stringify({ header: protectedHeader, claims: payload }));
  } catch (e) {
    console.log(JSON.stringify({ code: e.code ?? String(e) }));
  }
}
