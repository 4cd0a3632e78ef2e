package dialect

import (
	"maps"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/core"
)

// The shapes of what goes out: replies, tokens, mails and messages, samples and examples.

var protectedShape = Shape{
	Name: "protected", Doc: "What the resources behind the server answer in the dialect's name.",
	Members: []Slot{{Name: "errors", Doc: "replies to refusals, before the file's", Is: KindShape, Of: &errorsShape}},
}

var errorsShape = Shape{
	Name: "errors", Doc: "Replies by outcome. An outcome without one has that of the outcome above it.",
	Own: &Slot{Doc: "the reply, or a list of 2 to 8 variants", Is: KindShape | KindList, Of: &replyShape, Item: &variantSlot}, Names: kindNames,
}

var issuesShape = Shape{
	Name: "issues", Doc: "The words for each rule that a request can break, or for a kind of wrong request.",
	Own: &Slot{Doc: "the words; of templates alone $echo is known here", Is: KindTemplate}, Names: issueNames,
}

var variantSlot = Slot{Doc: "a variant; the last is for the rest", Is: KindShape, Of: &replyShape}

var replyShape = Shape{
	Name: "a reply", Doc: "What goes back to the client: exactly one body.",
	Members: []Slot{
		{Name: "when", Doc: "of a variant: the condition under which it is chosen", Is: KindBool | KindExpression},
		{Name: "accept", Doc: "of a variant: the media type that the client must prefer to the rest", Is: KindText},
		{Name: "status", Doc: "the status, 200 to 599", Hint: "such as status: 400", Default: "200 for a success; a refusal needs one", Is: KindWhole},
		{Name: "headers", Doc: "its headers, but for those that the server sets: " + strings.Join(slices.Sorted(maps.Keys(ownHeaders)), ", "), Is: KindShape, Of: &headersShape},
		{Name: "cookies", Doc: "the cookies that it sets", Is: KindList, Item: &Slot{Is: KindShape, Of: &cookieShape}},
		{Name: "json", Doc: "a JSON body, its members in the file's order", Is: KindTemplate},
		{Name: "xml", Doc: "an XML body with one root; @name is an attribute, #text the text, a list repeats its element", Is: KindTemplate},
		{Name: "declaration", Doc: "whether an XML body begins with its declaration", Default: "true", Is: KindBool},
		{Name: "text", Doc: "a text body", Is: KindTextTemplate},
		{Name: "empty", Doc: "true: there is no body", Is: KindBool},
		{Name: "type", Doc: "the media type", Default: "application/json, application/xml or text/plain", Is: KindText},
		docSlot,
	},
}

var headersShape = Shape{
	Name: "headers", Doc: "Headers by name.",
	Own: &Slot{Doc: "the value, or a list of them", Is: KindList, Item: &Slot{Is: KindTextTemplate}}, Pattern: headerName.String(),
}

var cookieShape = Shape{
	Name: "a cookie", Doc: "A cookie that a reply sets, its attributes in the order of RFC 6265.",
	Members: []Slot{
		{Name: "name", Doc: "its name", Hint: "such as name: session", Need: true, Is: KindText},
		{Name: "value", Doc: "its value", Is: KindTextTemplate},
		{Name: "path", Doc: "Path", Is: KindText},
		{Name: "domain", Doc: "Domain", Is: KindText},
		{Name: "max_age", Doc: "Max-Age in seconds", Is: KindWhole | KindExpression},
		{Name: "http_only", Doc: "HttpOnly", Default: "false", Is: KindBool},
		{Name: "secure", Doc: "Secure", Default: "false", Is: KindBool},
		{Name: "same_site", Doc: "SameSite", Is: KindWord, Words: []string{"strict", "lax", "none"}},
		{Name: "end", Doc: "true: the cookie is taken away", Default: "false", Is: KindBool},
	},
}

var defaultsSlot = Slot{Name: "defaults", Doc: "what replies have unless they say otherwise", Is: KindShape, Of: &defaultsShape}

var defaultsShape = Shape{
	Name: "defaults", Doc: "What replies have unless they say otherwise.",
	Members: []Slot{
		{Name: "ok", Doc: "of successes", Is: KindShape, Of: &defaultReplyShape},
		{Name: "errors", Doc: "of refusals", Is: KindShape, Of: &defaultReplyShape},
	},
}

var defaultReplyShape = Shape{
	Name: "a default", Doc: "What a family of replies has unless a reply says otherwise.",
	Members: []Slot{
		{Name: "type", Doc: "the media type of bodies of its family", Is: KindText},
		{Name: "headers", Doc: "headers", Is: KindShape, Of: &headersShape},
	},
}

var messagesSlot = Slot{Name: "messages", Doc: "texts by language, the facts message.NAME", Is: KindShape, Of: &messagesShape}

var messagesShape = Shape{
	Name: "messages", Doc: "Texts in the languages of the contract.",
	Members: []Slot{
		{Name: "languages", Doc: "the languages; the first is the default", Hint: "such as languages: [en, es]", Need: true, Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "from", Doc: "where requests name their language", Default: "header.Accept-Language", Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "announce", Doc: "whether replies carry Vary and Content-Language", Default: "false", Is: KindBool},
		{Name: "texts", Doc: "the texts", Hint: "such as texts: {bad: {en: …, es: …}}", Need: true, Is: KindShape, Of: &textsShape},
	},
}

var textsShape = Shape{
	Name: "texts", Doc: "Texts by name.",
	Own: &Slot{Doc: "the text in each language", Is: KindShape, Of: &translationsShape}, Pattern: inputName.String(),
}

var translationsShape = Shape{
	Name: "a text", Doc: "One text in every language of the messages.",
	Own: &Slot{Doc: "the text", Is: KindTextTemplate},
}

var loopShape = Shape{
	Name: "a loop", Doc: "A list's items, or an object's members, made from a list.",
	Members: []Slot{
		{Name: forWord, Doc: "the variable and the list, as in i in issues", Hint: "write $for: i in issues", Need: true, Is: KindText},
		{Name: yieldWord, Doc: "what each makes in a list", Hint: "such as $yield: ${i}", Is: KindTemplate},
		{Name: membersWord, Doc: "what each makes in an object, names with expressions in them", Is: KindTemplate},
	},
}

var tokensShape = Shape{
	Name: "tokens", Doc: "The tokens that the dialect issues, by name, in the order in which requests are tried.",
	Own: &Slot{Doc: "a token", Is: KindShape, Of: &tokenShape}, Pattern: inputName.String(),
}

var tokenShape = Shape{
	Name: "a token", Doc: "What a token is and how long it lives.",
	Members: []Slot{
		{Name: "format", Doc: "what it is: signed claims, or random text that the server knows", Default: "jwt", Is: KindWord, Words: []string{string(core.FormatJWT), string(core.FormatOpaque)}},
		docSlot,
		{Name: "algorithm", Doc: "of a JWT: what signs it", Hint: "one of " + strings.Join(algorithms, ", "), Is: KindWord, Words: algorithms},
		{Name: "key_id", Doc: "of a JWT: whether its header has kid", Default: "true but for HS256, HS384 and HS512", Is: KindBool},
		{Name: "type", Doc: "of a JWT: typ in its header", Default: "JWT", Is: KindText},
		formSlot,
		valueSlot,
		{Name: "lifetime", Doc: "how long it lives, in whole seconds; never, of an opaque token; or the bounds within which a route's lifetime chooses", Hint: "such as lifetime: 1h", Need: true,
			Is: KindDuration | KindWord | KindShape, Words: []string{neverWord}, Of: &lifetimeShape},
		{Name: "idle", Doc: "how long it lives unused", Default: "as long as in use", Is: KindDuration},
		{Name: "one", Doc: "whether there is one at a time: the newest ends the one before, or the same is given again", Default: "any number", Is: KindWord, Words: []string{string(core.SlotNewest), string(core.SlotSame)}},
		{Name: "per", Doc: "with one: newest, the granted fact of whose values each has one, such as a device, so that a sign-in ends those of its own device alone; where none is granted, that is one more value", Is: KindExpression},
		{Name: "session", Doc: "how long refresh and extend may go on; a JWT with it is kept, and needs a claim that is ${token.id}", Default: "the longest token's life", Is: KindDuration | KindWord, Words: []string{neverWord}},
		{Name: "refresh", Doc: "the refresh token that goes with it; a JWT with one is kept, and needs a claim that is ${token.id}", Is: KindShape, Of: &refreshShape},
		{Name: "track", Doc: "of a JWT: whether it is kept, so that it can be ended, which needs a claim that is ${token.id}: two made in one second would be the same token otherwise", Default: "true where the token has session, refresh, idle or one, or a route extends, revokes, introspects or has of", Is: KindBool},
		{Name: "audiences", Doc: "of a JWT whose aud is granted: what may be granted, and what is required of it", Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "claims", Doc: "of a JWT: its claims, in the file's order", Hint: "such as claims: {sub: ${account.id}, iat: ${token.issued_at}, exp: ${token.expires_at}}", Is: KindTemplate},
	},
}

// neverWord stands where a length of time has no end.
const neverWord = "never"

var (
	formSlot  = Slot{Name: "form", Doc: "what is random in it: base62 (43 of 0-9A-Za-z), uuid, or N bytes as hexN (0-9a-f), base64_N (A-Za-z0-9+/ with = at the end), base64url_N (A-Za-z0-9-_) or base62_N (0-9A-Za-z)", Default: "base62, of 256 bits", Is: KindText}
	valueSlot = Slot{Name: "value", Doc: "how it is written around what is random", Default: "${token.random}", Is: KindTextTemplate}
)

var lifetimeShape = Shape{
	Name: "lifetime", Doc: "The bounds of a lifetime that a route chooses.",
	Members: []Slot{
		{Name: "default", Doc: "the lifetime where a request asks for none", Hint: "such as default: 1h", Need: true, Is: KindDuration},
		{Name: "min", Doc: "the shortest", Default: "1s", Is: KindDuration},
		{Name: "max", Doc: "the longest", Hint: "such as max: 24h", Need: true, Is: KindDuration},
	},
}

var refreshShape = Shape{
	Name: "refresh", Doc: "A refresh token: each use replaces it, and using a replaced one ends the session, once its grace is over.",
	Members: []Slot{
		{Name: "lifetime", Doc: "how long it lives", Hint: "such as lifetime: 14d", Need: true, Is: KindDuration},
		formSlot,
		valueSlot,
		{Name: "rotate", Doc: "whether each use replaces it", Default: "true", Is: KindBool},
		{Name: "grace", Doc: "how long after its first use it gives new tokens all the same, for clients whose answer was lost; at most 5m", Default: "none", Is: KindDuration},
	},
}

var ticketsShape = Shape{
	Name: "tickets", Doc: "How long one-time tickets live.",
	Members: []Slot{
		{Name: "recovery", Doc: "those that set a new password", Default: "1h", Is: KindShape, Of: &ticketShape},
		{Name: "verification", Doc: "those that verify an account", Default: "24h", Is: KindShape, Of: &ticketShape},
		{Name: "challenge", Doc: "those that wait for a second factor", Default: "5m", Is: KindShape, Of: &ticketShape},
	},
}

var ticketShape = Shape{
	Name: "a ticket", Doc: "How long a one-time ticket lives.",
	Members: []Slot{{Name: "lifetime", Doc: "from a minute to a day; of a challenge from 30 s to 15 minutes", Hint: "such as lifetime: 1h", Need: true, Is: KindDuration}},
}

var mailsShape = Shape{
	Name: "mails", Doc: "The words of mails. Their bodies are the server's own.",
	Members: []Slot{
		{Name: "recovery", Doc: "the mail with a recovery ticket", Is: KindShape, Of: &mailShape},
		{Name: "verification", Doc: "the mail with a verification ticket, which new accounts get too", Is: KindShape, Of: &mailShape},
	},
}

var mailShape = Shape{
	Name: "a mail", Doc: "The words of a mail.",
	Members: []Slot{
		{Name: "subject", Doc: "its subject", Hint: "such as subject: Set a new password", Need: true, Is: KindTextTemplate},
		{Name: "link", Doc: "where it leads, over https, with ${ticket.value}", Hint: "such as link: ${setting.frontend_url}/reset?token=${ticket.value}", Need: true, Is: KindTextTemplate},
	},
}

var samplesShape = Shape{
	Name: "samples", Doc: "The identities that the examples speak of. No server creates them.",
	Members: []Slot{
		{Name: "tenants", Doc: "tenants by name", Is: KindShape, Of: &sampleTenantsShape},
		{Name: "accounts", Doc: "accounts by name", Is: KindShape, Of: &sampleAccountsShape},
		{Name: "keys", Doc: "access keys by name", Is: KindShape, Of: &sampleKeysShape},
	},
}

var (
	sampleTenantsShape  = Shape{Name: "samples.tenants", Doc: "Tenants by the names that examples know them by.", Own: &Slot{Doc: "a tenant", Is: KindShape, Of: &sampleTenantShape}}
	sampleAccountsShape = Shape{Name: "samples.accounts", Doc: "Accounts by the names that examples know them by.", Own: &Slot{Doc: "an account", Is: KindShape, Of: &sampleAccountShape}}
	sampleKeysShape     = Shape{Name: "samples.keys", Doc: "Access keys by the names that examples know them by.", Own: &Slot{Doc: "an access key", Is: KindShape, Of: &sampleKeyShape}}
	attributesShape     = Shape{Name: "attributes", Doc: "Attributes that the realm declares.", Own: &Slot{Doc: "text, a number, a boolean or a list of texts", Is: KindAny}}
)

var (
	sampleIDSlot         = Slot{Name: "id", Doc: "its UUID", Default: "one that is the same at every load", Is: KindText}
	sampleAttributesSlot = Slot{Name: "attributes", Doc: "its attributes", Is: KindShape, Of: &attributesShape}
)

var sampleTenantShape = Shape{
	Name: "a sample tenant", Doc: "A tenant that examples speak of.",
	Members: []Slot{
		{Name: "id", Doc: "its id", Default: "a UUID that is the same at every load", Is: KindText},
		{Name: "name", Doc: "its name", Hint: "such as name: Example Ltd", Need: true, Is: KindText},
		{Name: "active", Doc: "whether its accounts may sign in", Default: "true", Is: KindBool},
		sampleAttributesSlot,
	},
}

var sampleAccountShape = Shape{
	Name: "a sample account", Doc: "An account that examples speak of.",
	Members: []Slot{
		sampleIDSlot,
		{Name: "login", Doc: "its login name", Hint: "such as login: ada@example.com", Need: true, Is: KindText},
		{Name: "password", Doc: "its password", Default: "none: it cannot sign in", Is: KindText},
		{Name: "tenant", Doc: "the sample tenant that it belongs to", Default: "none", Is: KindText},
		{Name: "email", Doc: "its address", Is: KindText},
		{Name: "name", Doc: "its readable name", Is: KindText},
		{Name: "roles", Doc: "its roles", Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "active", Doc: "whether it may sign in", Default: "true", Is: KindBool},
		{Name: "verified", Doc: "whether it has been verified", Default: "true", Is: KindBool},
		{Name: "hold", Doc: "what keeps sign-ins out", Default: "nothing", Is: KindWord, Words: []string{string(core.Locked), string(core.MustChangeSecret)}},
		{Name: "totp", Doc: "the secret of its second factor, in base32", Default: "no second factor", Is: KindText},
		{Name: "recovery_codes", Doc: "its recovery codes", Is: KindList, Item: &Slot{Is: KindText}},
		sampleAttributesSlot,
		{Name: "created_at", Doc: "when it was made", Default: "2026-01-31T09:30:00Z", Is: KindText},
	},
}

var sampleKeyShape = Shape{
	Name: "a sample key", Doc: "An access key that examples speak of.",
	Members: []Slot{
		sampleIDSlot,
		{Name: "identifier", Doc: "what the client sends beside the secret", Hint: "what the client sends beside the secret", Need: true, Is: KindText},
		{Name: "secret", Doc: "the secret", Hint: "what the client signs in with", Need: true, Is: KindText},
		{Name: "account", Doc: "the sample account that owns it", Hint: "the sample account that owns the key", Need: true, Is: KindText},
		{Name: "name", Doc: "its readable name", Is: KindText},
		{Name: "state", Doc: "its state", Default: "active", Is: KindWord, Words: []string{string(core.KeyStatePending), string(core.KeyStateActive), string(core.KeyStateRevoked)}},
		{Name: "expires_at", Doc: "when it ends", Default: "never", Is: KindText},
		sampleAttributesSlot,
	},
}

var exampleShape = Shape{
	Name: "an example", Doc: "One request and the reply that it must get.",
	Members: []Slot{
		{Name: "name", Doc: "what it shows", Hint: "what the example shows", Need: true, Is: KindText},
		{Name: "settings", Doc: "what the operator has chosen for it", Is: KindShape, Of: &settingsShape},
		{Name: "as", Doc: "the sample whose token the request presents: it signs in by the first route that takes it, and the token goes into the first carrier", Is: KindText},
		{Name: "after", Doc: "by how much the server's clock is moved on before the request is sent, once the token of as is there; it stays so for the examples below", Default: "nothing", Is: KindDuration},
		{Name: "repeat", Doc: "how often the request is sent; the last reply is compared", Default: "1", Is: KindWhole},
		{Name: "send", Doc: "the request", Hint: "such as send: {path: /login, json: {…}}", Need: true, Is: KindShape, Of: &sendShape},
		{Name: "expect", Doc: "the reply", Hint: "such as expect: {status: 400}", Need: true, Is: KindShape, Of: &expectShape},
	},
}

var sendShape = Shape{
	Name: "send", Doc: "A request: at most one body. Texts may hold ${saved.NAME}, ${totp.SAMPLE} for the code of a second factor, ${mail.recovery.SAMPLE} and ${mail.verification.SAMPLE} for the ticket of the newest mail to a sample, the same with an address, as in ${mail.verification.new@example.com}, for an account that an example has made, and ${setting.NAME}.",
	Members: []Slot{
		{Name: "method", Doc: "the method", Default: "POST", Is: KindWord, Words: methods},
		{Name: "path", Doc: "the path, with the query", Hint: "such as path: /login", Need: true, Is: KindText},
		{Name: "headers", Doc: "headers", Is: KindShape, Of: &headersShape},
		{Name: "json", Doc: "a JSON body", Is: KindAny},
		{Name: "form", Doc: "a form", Is: KindAny},
		{Name: "multipart", Doc: "a multipart form", Is: KindAny},
		{Name: "xml", Doc: "an XML body, as text", Is: KindText},
		{Name: "text", Doc: "a text body", Is: KindText},
		{Name: "raw", Doc: "a body as it stands, without a media type", Is: KindText},
	},
}

var expectShape = Shape{
	Name: "expect", Doc: "The reply that an example must get. Texts may hold <jwt>, <uuid>, <iso>, <integer>, <token>, <text> and <any>, and what send may.",
	Members: []Slot{
		{Name: "status", Doc: "the status", Hint: "such as status: 400", Need: true, Is: KindWhole},
		{Name: "outcome", Doc: "the outcome that it stands for", Is: KindWord, Words: kindNames},
		{Name: "headers", Doc: "headers; a list where one comes several times, compared in order; null for one that must not be there", Is: KindShape, Of: &headersShape},
		{Name: "json", Doc: "the JSON body, members in order", Is: KindAny},
		{Name: "xml", Doc: "the XML body, as text; <token> and its like are written &lt;token&gt; there", Is: KindText},
		{Name: "text", Doc: "the text body", Is: KindText},
		{Name: "empty", Doc: "true: there is no body", Is: KindBool},
		{Name: "save", Doc: "what later examples need of the reply, as ${saved.NAME}", Is: KindShape, Of: &saveShape},
	},
}

var saveShape = Shape{
	Name: "save", Doc: "What later examples need of a reply.",
	Own: &Slot{Doc: "a JSON pointer into the body, header NAME, cookie NAME, or an empty text for the whole body", Is: KindText}, Pattern: inputName.String(),
}
