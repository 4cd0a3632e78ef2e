package contracttest

// rowsA are section 2, contract A.
func rowsA() []contractRow {
	return []contractRow{
		prove("A1-1", "form login by e-mail address: 200, access_token and token_type bearer, in this order", "A1/success"),
		prove("A1-2", "the e-mail compares without regard to ASCII case; blanks around are kept", "A1/e-mail in another case", "A1/e-mail with blanks around"),
		prove("A1-3", "token: header bytes, claims exp, sub and our iat in order, 8 days, integer, HS256, no kid", "A1/token"),
		prove("A1-4", "sub is a UUID that stays", "A1/sub is stable between logins", "A1/token"),
		prove("A1-5", "form invalid: 422, before all else", "A1/form invalid", "A1/form invalid before inactive"),
		prove("A1-6", "unknown e-mail or wrong password, of an inactive user too: 400 Incorrect email or password", "A1/unknown e-mail", "A1/wrong password", "A1/wrong password of an inactive user", "A1/an account without a password"),
		prove("A1-7", "right password, user inactive: 400 Inactive user", "A1/inactive user"),
		prove("A1-8", "no WWW-Authenticate on these", "A1/unknown e-mail", "A1/wrong password", "A1/inactive user"),
		prove("A1-9", "an unknown e-mail costs the time of a wrong password", "TestTiming/A/length 73"),
		prove("A1-10", "an unverified user may log in", "A1/an unverified user may log in"),

		prove("A2-1", "profile: eight members in order", "A2/success", "A2/unverified user"),
		prove("A2-2", "a body is ignored", "A2/a body is ignored"),
		prove("A2-3", "full_name and name are null when unset", "A2/name not set"),
		prove("A2-4", "role is user, or admin for a superuser", "A2/role of a superuser"),
		prove("A2-5", "no password or hash in it", "A2/success", "TestCanaries"),
		prove("A2-6", "id is the token's sub", "A2/id is the token's sub"),
		prove("A2-7", "no Authorization, empty, or another scheme: 401 Not authenticated with a challenge", "A2/no Authorization", "A2/empty Authorization", "A2/Basic"),
		prove("A2-8", "Bearer but empty or malformed: 401 Could not validate credentials with a challenge", "A2/Bearer but empty", "A2/token malformed", "A2/token two parts", "A2/token four parts", "A2/token empty parts"),
		prove("A2-9", "bad signature", "A2/a token made here holds", "A2/token bad signature", "A2/token signature cut", "A2/token signature empty", "A2/token claims exchanged", "A2/token another secret"),
		prove("A2-10", "other algorithm, or none", "A2/token other algorithm", "A2/token other algorithm of the same family", "A2/token none", "A2/token none with a signature", "A2/token None", "A2/token no algorithm", "A2/token algorithm named but not used"),
		prove("A2-11", "expired", "A2/token expired", "A2/token expired long ago", "7/a token lives no longer than it says"),
		prove("A2-12", "nbf or iat more than 60 s ahead", "A2/token not yet valid", "A2/token iat ahead"),
		prove("A2-13", "without exp", "A2/token without exp", "A2/token exp as text", "A2/token exp null"),
		prove("A2-14", "sub missing or of no known user", "A2/token subject missing", "A2/token subject not text", "A2/token subject unknown", "A2/token of a deleted user"),
		prove("A2-15", "a token of another dialect or purpose", "A2/token of B", "A2/token of C", "A2/token of D", "A3/the ticket is no access token"),
		prove("A2-16", "valid token, user has become inactive: 400 Inactive user, no challenge", "A2/user has become inactive"),

		prove("A3-1", "the address is percent-decoded, plus stays plus", "A3/encoded plus and letters", "A3/plus stays plus", "A3/mail to an address with plus"),
		prove("A3-2", "no form of address is asked for; the body is ignored", "A3/no address", "A3/blanks and control characters", "A3/bytes that are not UTF-8", "A3/body ignored", "A3/query ignored"),
		prove("A3-3", "200 with the same bytes and header for known, unknown, inactive and nonsense", "A3/known address", "A3/unknown address", "A3/inactive account", "TestSameAnswer/recovery"),
		prove("A3-4", "and in the same time: the mail is queued", "TestTimingRecovery/known", "TestTimingRecovery/inactive", "TestTimingRecovery/nonsense"),
		prove("A3-5", "empty segment: 404", "A3/empty segment", "A3/no segment"),
		prove("A3-6", "encoded slash in the address: 404", "A3/encoded slash", "A3/encoded slash in lower case", "A3/two segments"),
		prove("A3-7", "the mail goes to the stored address only, with subject and link", "A3/mail", "A3/mail goes to the stored address"),
		prove("A3-8", "no mail to unknown or inactive accounts", "A3/no mail to unknown or inactive"),
		prove("A3-9", "the ticket lives for 60 minutes", "A3/a ticket lives for 60 minutes"),
		prove("A3-10", "the ticket is URL-safe and no access token", "A3/mail", "A3/the ticket is no access token"),

		prove("A4-1", "success: 200 Password updated successfully", "A4/success"),
		prove("A4-2", "the old password stops at once, older access tokens end", "A4/success"),
		prove("A4-3", "passwords of 8 to 128 characters", "1.4/8 letters", "1.4/7 letters", "1.4/128 code points in 512 bytes", "1.4/129 code points", "A4/a password with characters of every kind"),
		prove("A4-4", "an Authorization header is ignored", "A4/Authorization is ignored"),
		prove("A4-5", "the trailing slash is canonical", "1.6/A reset/slash POST", "A4/success"),
		prove("A4-6", "body invalid or password of a wrong length: 422 first, and the ticket stays", "A4/body invalid", "A4/body invalid before bad ticket", "A4/a refused password does not consume the ticket"),
		prove("A4-7", "unknown or malformed ticket: 400 Invalid token", "A4/unknown ticket", "A4/malformed ticket", "A4/empty ticket", "A4/ticket in another shape of JWT"),
		prove("A4-8", "expired ticket: 400 Invalid token", "A4/expired ticket", "A3/a ticket lives for 60 minutes"),
		prove("A4-9", "used ticket: 400 Invalid token", "A4/single use", "TestSingleUse"),
		prove("A4-10", "a newer request, or a password change, ends older tickets", "A4/a newer request replaces the ticket", "A4/single use"),
		prove("A4-11", "ticket of a deleted user: 400 Invalid token", "A4/deleted user"),
		prove("A4-12", "an access token is no ticket: 400 Invalid token", "A4/an access token", "TestPurposes/A at the reset"),
		prove("A4-13", "user inactive: 400 Inactive user, and the ticket is dead for good", "A4/user inactive"),

		prove("A5-1", "the proxied API's own answers are not ours: a call that is let through is answered by it alone", "B2/success", "C2/success", "D3/success"),
	}
}

// rowsB are section 3, contract B.
func rowsB() []contractRow {
	return []contractRow{
		prove("B1-1", "form login with optional grant_type: 200, access_token and token_type bearer, in this order", "B1/success", "1.3/B/password", "1.3/B/absent"),
		prove("B1-2", "login names need not be addresses, compare without regard to ASCII case, keep blanks", "B1/login name in another case", "B1/login name that is an address", "B1/blanks are kept", "B1/blanks are not taken off", "B1/blanks are not added"),
		prove("B1-3", "token: header bytes, claims sub, aud as a list of one, exp and our iat in order, HS256", "B1/token"),
		prove("B1-4", "lifetime 3600 s, a setting", "B1/token", "7/8 lifetime of B"),
		prove("B1-5", "form invalid: 422, before all else", "B1/form invalid", "B1/form invalid before not verified"),
		prove("B1-6", "unknown, wrong password, inactive even with the right one, inactive and unverified: 400 LOGIN_BAD_CREDENTIALS", "B1/unknown login", "B1/wrong password", "B1/inactive with the right password",
			"B1/inactive with a wrong password", "B1/inactive and unverified"),
		prove("B1-7", "right password, not verified: 400 LOGIN_USER_NOT_VERIFIED", "B1/not verified"),
		prove("B1-8", "wrong password, not verified: LOGIN_BAD_CREDENTIALS", "B1/not verified with a wrong password", "TestStateOnlyAfterSecret"),
		prove("B1-9", "an unknown login costs one hash", "TestTiming/B/length 73"),

		prove("B2-1", "a valid token reaches the API behind", "B2/success"),
		prove("B2-2", "missing, or another scheme: 401 Unauthorized without a challenge", "B2/missing", "B2/empty", "B2/other scheme", "B2/in the query"),
		prove("B2-3", "malformed", "B2/malformed", "B2/Bearer but empty", "B2/token malformed", "B2/token two parts"),
		prove("B2-4", "bad signature or algorithm", "B2/a token made here holds", "B2/token bad signature", "B2/token other algorithm", "B2/token none", "B2/token another secret"),
		prove("B2-5", "expired", "B2/token expired", "7/a token lives no longer than it says"),
		prove("B2-6", "wrong or missing audience", "B2/aud of a reset token", "B2/aud as other text", "B2/aud missing", "B2/aud empty", "B2/aud in another case", "B2/aud a number", "B2/aud null"),
		prove("B2-7", "unknown or inactive user", "B2/token subject unknown", "B2/token of a deleted user", "B2/user has become inactive"),
		prove("B2-8", "no longer verified: 403 Forbidden", "B2/no longer verified"),
		prove("B2-9", "aud as plain text is accepted", "B2/aud as text"),
		prove("B2-10", "a token without exp is refused", "B2/token without exp"),

		prove("B3-1", "logout is off", "B3/auth/jwt/logout"),
		prove("B3-2", "register is off", "B3/auth/register"),
		prove("B3-3", "forgot-password is off", "B3/auth/forgot-password"),
		prove("B3-4", "reset-password is off", "B3/auth/reset-password"),
		prove("B3-5", "request-verify-token is off", "B3/auth/request-verify-token"),
		prove("B3-6", "verify is off", "B3/auth/verify"),
		prove("B3-7", "users/me is off", "B3/users me"),
	}
}

// rowsC are section 4, contract C.
func rowsC() []contractRow {
	return []contractRow{
		prove("C1-1", "JSON login: 200 with exactly token", "C1/success"),
		prove("C1-2", "parameters of the media type are accepted", "C1/charset accepted", "C1/parameters accepted", "C1/media type in any case"),
		prove("C1-3", "unknown keys are ignored, known ones match byte for byte", "C1/unknown keys ignored", "C1/names match exactly"),
		prove("C1-4", "the e-mail compares without regard to ASCII case", "C1/e-mail in another case"),
		prove("C1-5", "the token is a legal bearer credential: a JWT of sub, iat, exp for 24 h, by settings", "C1/success", "C1/token", "7/11 format and lifetime of C"),
		prove("C1-6", "error object: error, message, code as a number, details where there are any", "C1/e-mail is no address", "C1/malformed JSON"),
		prove("C1-7", "e-mail that is no address: 400 Invalid email format", "C1/e-mail is no address", "C1/e-mail without a domain", "C1/e-mail without a name", "C1/e-mail with a blank", "C1/two addresses", "C1/address with a display name"),
		prove("C1-8", "field missing, empty or no string: 400, one entry each, e-mail first", "C1/e-mail missing", "C1/e-mail empty", "C1/e-mail null", "C1/e-mail a number", "C1/password missing", "C1/password empty",
			"C1/password not a string", "C1/both missing", "C1/both empty in another order", "C1/no address and no password"),
		prove("C1-9", "malformed, empty, or no object: 400 without details", "C1/malformed JSON", "C1/empty body", "C1/body is a list", "C1/body is a string", "C1/body is a number", "C1/body is null", "C1/body is not UTF-8"),
		prove("C1-10", "another media type or none: 415", "C1/form", "C1/text", "C1/multipart", "C1/no media type"),
		prove("C1-11", "wrong password, unknown e-mail, inactive user: 401, the same bytes", "C1/wrong password", "C1/unknown e-mail", "C1/inactive user", "C1/inactive user with a wrong password", "TestSameAnswer/C"),
		prove("C1-12", "another method: 405 with Allow", "C1/GET", "C1/PUT", "C1/DELETE", "C1/OPTIONS", "C1/HEAD"),
		prove("C1-13", "validation does not tell whether an address exists", "TestSameAnswer/C", "C1/e-mail is no address"),

		prove("C2-1", "a valid token reaches the API behind", "C2/success"),
		prove("C2-2", "missing token: 401 with the words of the v3 pages", "C2/missing", "C2/empty", "C2/other scheme", "C2/in the query"),
		prove("C2-3", "invalid token: the same", "C2/malformed", "C2/Bearer but empty", "C2/token bad signature", "C2/token expired", "C2/token without exp", "C2/token none", "C2/user has become inactive", "C2/token of a deleted user"),
	}
}

// rowsD are section 5, contract D.
func rowsD() []contractRow {
	return []contractRow{
		prove("D1-1", "JSON login by accessKey and secret: 201, text/plain, the bare token", "D1/success"),
		prove("D1-2", "unknown properties ignored, charset accepted", "D1/unknown properties ignored", "D1/charset accepted"),
		prove("D1-3", "key of 40 hex digits, secret of 48 characters of Base64", "D2/form of key and secret", "D1/escaped slashes in the secret"),
		prove("D1-4", "token: header bytes, HS384, nine claims in order, exp an hour after iat", "D1/token"),
		prove("D1-5", "neither key nor secret is in the token", "D1/token", "TestCanaries"),
		prove("D1-6", "400 envelope and its order", "D1/secret missing"),
		prove("D1-7", "secret missing", "D1/secret missing"),
		prove("D1-8", "accessKey missing; both missing, accessKey first", "D1/accessKey missing", "D1/both missing", "D1/names match exactly", "D1/names in folding letters"),
		prove("D1-9", "a value that is no string; required before type", "D1/number", "D1/null", "D1/object", "D1/boolean", "D1/list", "D1/both of another type", "D1/required before type", "D1/required before type, the other way"),
		prove("D1-10", "body that is a list, text or number: must be object", "D1/body is a list", "D1/body is a string", "D1/body is a number"),
		prove("D1-11", "empty body or null: Request body is required", "D1/body is empty", "D1/body is null"),
		prove("D1-12", "malformed JSON: the parser's words, no details", "D1/malformed JSON", "D1/malformed JSON with quotes", "D1/body is not UTF-8"),
		prove("D1-13", "another media type: 415 UnsupportedMediaTypeError", "D1/form", "D1/text", "D1/xml"),
		prove("D1-14", "body over the limit: 413 PayloadTooLargeError", "D1/body over the limit", "6/D/6 413"),
		prove("D1-15", "empty key or secret: 401", "D1/empty key", "D1/empty secret", "D1/both empty"),
		prove("D1-16", "unknown key, wrong secret, pending, expired, revoked, user inactive: 401, the same bytes", "D1/unknown key", "D1/wrong secret", "D1/secret of another key", "D1/key pending", "D1/key expired", "D1/key revoked",
			"D1/user inactive", "TestSameAnswer/D"),
		prove("D1-17", "key and secret are compared exactly", "D1/secret cut by one", "D1/secret longer by one", "D1/secret with a blank", "D1/secret in another case", "D1/key in another case", "D1/key with a blank", "D1/key with control characters", "D1/key longer than any"),
		prove("D1-18", "other methods: 404 NotFoundError", "D1/GET", "D1/PUT", "D1/DELETE", "D1/OPTIONS", "D1/PATCH"),
		prove("D1-19", "a trailing slash is accepted, another letter case is not", "D1/trailing slash accepted", "D1/path in another case"),
		prove("D1-20", "the words of a tightened schema: additionalProperties, enum, minLength", "D1/tightened schema"),

		prove("D2-1", "keys are born pending and work once approved", "D2/born pending, usable once approved"),
		prove("D2-2", "keys can expire and be revoked", "D1/key expired", "D1/key revoked", "D2/revoked at once, and its tokens with it"),

		prove("D3-1", "a valid token reaches the API behind", "D3/success"),
		prove("D3-2", "missing or bad token: 401 AuthenticationTokenInvalid, name before message, no code", "D3/missing", "D3/malformed", "D3/other scheme", "D3/token bad signature", "D3/token none", "D3/token without exp"),
		prove("D3-3", "expired token: the same", "D3/token expired", "D3/token expired long ago"),
	}
}
