package contracttest

// forEach names a subtest of section 6 for each contract.
func forEach(name string) []string {
	var tests []string
	for _, c := range contracts {
		tests = append(tests, "6/"+c.name+"/"+name)
	}
	return tests
}

// rowsForAll are section 6.
func rowsForAll() []contractRow {
	return []contractRow{
		prove("6-1", "wrong secret and unknown identity: same status, header, bytes, and time within noise", append(forEach("1 same answer to wrong secret and unknown identity"),
			"TestSameAnswer/A", "TestSameAnswer/B", "TestSameAnswer/C", "TestSameAnswer/D", "TestTiming/C/length 73", "TestTiming/D/unknown and wrong secret")...),
		prove("6-2", "secrets are compared exactly, without bcrypt's 72 bytes", append(forEach("2 secrets are compared exactly"), "TestBcrypt72/A", "TestBcrypt72/B", "TestBcrypt72/C", "TestHostileLogins")...),
		prove("6-3", "no content of a request gives a 5xx; NaN and lone surrogates give 4xx; a lost store gives 503", append(append(forEach("3 odd JSON is no server error"), forEach("6 503")...),
			"TestMutated/A login", "TestMutated/A reset", "TestMutated/A recovery", "TestMutated/A test-token", "TestMutated/B login", "TestMutated/B resource", "TestMutated/C POST /v4/auth", "TestMutated/D POST /login")...),
		prove("6-4", "only the dialect's algorithm, never none; no token of another dialect, no reset ticket", append(forEach("4 tokens of other places"),
			"TestForgeries/A", "TestForgeries/B", "TestForgeries/C", "TestForgeries/D", "TestPurposes/ticket at A", "TestPurposes/ticket at B", "TestPurposes/ticket at C", "TestPurposes/ticket at D")...),
		prove("6-5", "several logins coexist", forEach("5 logins coexist")...),
		prove("6-6-404", "404 in each envelope", "1.6/A unknown path", "1.6/B unknown path", "C1/unknown path", "D1/unknown path"),
		prove("6-6-405", "405 in each envelope, with Allow; D has 404", "1.6/A login/GET", "1.6/B login/GET", "C1/GET", "D1/GET"),
		prove("6-6-413", "413 in each envelope", append(forEach("6 413"), forEach("6 413 in chunks")...)...),
		prove("6-6-415", "415 in C's and D's envelope; no fields for A and B", "C1/text", "D1/text", "1.2/A/another media type", "1.2/B/another media type"),
		prove("6-6-429", "429 in each envelope, with Retry-After, whether the identity exists or not; a lock shows as nothing else", forEach("6 429")...),
		prove("6-6-503", "503 in each envelope, with Retry-After", forEach("6 503")...),
		prove("6-6-500", "500 in each envelope", forEach("6 500")...),
		prove("6-7", "no-store on token answers", append(forEach("7 no-store on token answers"), "TestNoStore")...),
		prove("6-8", "keep-alive, chunks, header names in any case", forEach("8 keep-alive, chunks and header names in any case")...),
	}
}

// rowsDecided are sections 7 to 10.
func rowsDecided() []contractRow {
	return []contractRow{
		prove("7-1", "A: bad and expired tokens are 401 everywhere", "A2/token malformed", "A2/token expired"),
		prove("7-2", "A: a missing form field is 422, by setting validation_status", "1.4/A/form field missing", "7/2 validation_status"),
		prove("7-3", "A: the profile's six members, then name and role", "A2/success"),
		prove("7-4", "A: e-mail without regard to case", "A1/e-mail in another case"),
		prove("7-5", "A: a reset ticket works once", "A4/single use", "TestSingleUse"),
		prove("7-6", "A: a deleted user's token is 401", "A2/token of a deleted user"),
		prove("7-7", "A: challenge and text of a bad token", "A2/token bad signature"),
		prove("7-8", "B: lifetime 3600 s, a setting", "B1/token", "7/8 lifetime of B"),
		prove("7-9", "B: login only", "B3/auth/jwt/logout", "B3/auth/register", "B3/users me"),
		prove("7-10", "C: wrong credentials are 401", "C1/wrong password"),
		prove("7-11", "C: the token is a JWT for 24 h, by settings", "C1/token", "7/11 format and lifetime of C"),
		prove("7-12", "D: field omitted 400, field empty 401", "D1/secret missing", "D1/empty secret"),
		prove("7-13", "D: success is text/plain", "D1/success"),
		prove("7-14", "D: undocumented answers in the documented envelope", "D1/text", "D1/body over the limit", "D1/GET"),
		prove("7-15", "no kid in A, B and D by default", "A1/token", "B1/token", "D1/token", "7/15 kid at the operator's wish alone"),

		prove("8-1", "D: the printed sample token's payload is no JSON; ours is", "8/D sample payload is no JSON, ours is", "8/D sample payload is refused"),
		prove("8-2", "C: the Go client compiles and runs", "TestClients/C/go"),
		prove("8-3", "C: the Ruby client forces TLS", "TestClients/C/ruby"),
		prove("8-4", "C: clients that check no status get what they parse", "TestClients/C/curl", "TestClients/C/requests", "TestClients/C/fetch"),
		prove("8-5", "B: clients that check one response or both are served", "TestClients/B/fetch", "TestClients/B/requests"),
		prove("8-6", "D: the two error bodies order name and message each in its own way", "8/D orders name and message twice"),
		prove("8-7", "A: a password pasted unescaped breaks the client, not the server", "8/A unescaped password breaks the client"),

		prove("9-1", "the pattern of grant_type is anchored", "9/pattern is anchored"),
		prove("9-2", "JSON without Content-Type is read", "9/JSON without a media type"),
		prove("9-3", "recovery answers alike for unknown addresses", "9/recovery is alike"),
		prove("9-4", "A's passwords reach 128 characters", "9/a password of 41 to 128"),
		prove("9-5", "validation items of today's form", "9/items of today's form"),
		prove("9-6", "C: the token as a Basic user name, as in v3, is not read", "9/C takes no HTTP Basic", "C1/HTTP Basic of v3 is no credential"),

		prove("10-A", "calls of A's customers: curl", "TestClients/A/curl"),
		prove("10-B", "calls of B's customers: curl, requests, fetch", "TestClients/B/curl", "TestClients/B/requests", "TestClients/B/fetch"),
		prove("10-C", "calls of C's customers: curl, requests, fetch, Go, Ruby", "TestClients/C/curl", "TestClients/C/requests", "TestClients/C/fetch", "TestClients/C/go", "TestClients/C/ruby"),
		prove("10-D", "calls of D's customers, with any HTTP client", "TestClients/D/curl", "TestClients/D/requests", "TestClients/D/fetch", "TestClients/D/go"),
	}
}
