package dialect

import "slices"

// The shapes of what comes in: routes and their inputs, carriers.

var namesSlot = Slot{
	Name: "names", Doc: "whether the names of a body's members are compared letter by letter, or without regard to case", Default: "exact",
	Is: KindWord, Words: []string{"exact", "fold"},
}

var carrierShape = Shape{
	Name: "a carrier", Doc: "A place where requests bring their token.",
	Members: []Slot{
		{Name: "in", Doc: "the kind of place", Hint: "one of header, query, cookie", Need: true, Is: KindWord, Words: []string{"header", "query", "cookie"}},
		{Name: "name", Doc: "the header, parameter or cookie", Hint: "such as name: Authorization", Need: true, Is: KindText},
		{Name: "scheme", Doc: "the word before the token, of headers alone", Default: "the bare token", Is: KindText},
		{Name: "with", Doc: "headers that must be there too, or else the carrier does not apply", Is: KindList, Item: &Slot{Is: KindText}},
	},
}

var routeShape = Shape{
	Name: "a route", Doc: "One operation at one place.",
	Members: []Slot{
		{Name: "on", Doc: "which requests it answers", Hint: "such as on: {method: POST, path: /login}", Need: true, Is: KindShape, Of: &onShape},
		{Name: "title", Doc: "what it does, for the headings of documents: at most 60 characters", Default: "the operation's", Is: KindText},
		{Name: "enabled", Doc: "whether it is served; a setting, usually, or an expression that names settings alone", Default: "true", Is: KindBool | KindExpression},
		docSlot,
		{Name: "accept", Doc: "the media types that it takes: json, form, multipart, xml, any in full such as application/vnd.acme+json, or none", Default: "no body: whatever comes is not looked at", Is: KindList | KindShape, Item: &mediaTypeSlot, Of: &acceptShape},
		{Name: "inputs", Doc: "what it reads from the request", Is: KindShape, Of: &inputsShape},
		{Name: "do", Doc: "what it does", Hint: "such as do: whoami", Need: true, Is: KindWord | KindShape, Words: operationNames(), Of: &doShape},
		{Name: "ok", Doc: "the reply to a success, or a list of 2 to 8 variants", Hint: "the reply to a success, such as ok: {json: {…}}", Is: KindShape | KindList, Of: &replyShape, Item: &variantSlot},
		{Name: "errors", Doc: "replies of its own, before the file's", Is: KindShape, Of: &errorsShape},
		{Name: "issues", Doc: "words of its own for broken rules, before the file's", Is: KindShape, Of: &issuesShape},
	},
}

var onShape = Shape{
	Name: "on", Doc: "Which requests a route answers.",
	Members: []Slot{
		{Name: "method", Doc: "the method, or a list of them", Hint: "such as method: POST", Need: true, Is: KindList, Item: &Slot{Is: KindWord, Words: methods}},
		{Name: "path", Doc: "the path, letter for letter; {name} takes one segment", Hint: "such as path: /login", Need: true, Is: KindText},
		{Name: "when", Doc: "what else the request must hold; routes of one method and path are asked in the file's order", Is: KindShape, Of: &whenShape},
	},
}

var whenShape = Shape{
	Name: "when", Doc: "What a request must hold for its route: conditions by source, as in from, or by the word type for the media type.",
	Own: &Slot{Doc: "the value, or a condition", Is: KindAny | KindShape, Of: &whenConditionShape},
}

var whenConditionShape = Shape{
	Name: "a condition of when", Doc: "What one source must hold. Exactly one member is there.",
	Members: []Slot{
		{Name: "equals", Doc: "this value", Is: KindAny},
		{Name: "one_of", Doc: "one of these", Is: KindList, Item: &Slot{Is: KindAny}},
		{Name: "present", Doc: "whether it is there at all", Is: KindBool},
	},
}

var acceptShape = Shape{
	Name: "accept", Doc: "The media types of a route, and what any other means.",
	Members: []Slot{
		{Name: "types", Doc: "the media types; none among them: there need not be a body", Hint: "such as types: [json]", Need: true, Is: KindList, Item: &mediaTypeSlot},
		{Name: "otherwise", Doc: "how a body of another type is read", Default: "refuse", Is: KindWord, Words: []string{"refuse", "empty", "text", "json"}},
		{Name: "untyped", Doc: "how a body without a type is read", Default: "refuse, or empty where none is among the types", Is: KindWord, Words: []string{"refuse", "empty", "text", "json", "form"}},
		{Name: "blank", Doc: "what an empty body is: body_missing, or one without members whatever its media type", Default: "refuse, but for what none lets in", Is: KindWord, Words: []string{"refuse", "empty"}},
	},
}

var mediaTypeSlot = Slot{Doc: "json, form, multipart, xml, none, a media type of JSON or XML, or any with how it is read", Is: KindText | KindShape, Of: &mediaTypeShape}

var mediaTypeShape = Shape{
	Name: "a media type", Doc: "A media type whose bodies are read as another's.",
	Members: []Slot{
		{Name: "type", Doc: "the media type; a star stands for any text", Hint: "such as type: text/plain", Need: true, Is: KindText},
		{Name: "as", Doc: "how it is read", Hint: "such as as: json", Need: true, Is: KindWord, Words: []string{"json", "form", "xml"}},
	},
}

var inputsShape = Shape{
	Name: "inputs", Doc: "What a route reads from requests. Names that an operation knows are its own to judge.",
	Own: &Slot{Doc: "an input, or its source alone", Is: KindText | KindShape, Of: &inputShape}, Pattern: inputName.String(),
}

var inputShape = Shape{
	Name: "an input", Doc: "What is read from a request, and what it must keep.",
	Members: []Slot{
		{Name: "from", Doc: "body.a.b, body.list.0, query.x, header.X, path.x, cookie.x, basic.username, basic.password or bearer, which is the token of any carrier; of a list the first that has it",
			Hint: "say where it is read, as in from: body.username", Need: true, Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "type", Doc: "what it must be", Default: "string", Is: KindWord, Words: inputTypes},
		{Name: "required", Doc: "whether its absence is an issue, or an expression that says when", Default: "false", Is: KindBool | KindExpression},
		{Name: "forbidden", Doc: "an expression that says when its presence is an issue", Is: KindBool | KindExpression},
		{Name: "default", Doc: "its value where it is absent", Is: KindAny},
		{Name: "empty", Doc: "whether empty text is a value, or nothing", Default: "value", Is: KindWord, Words: []string{"missing", "value"}},
		{Name: "nulls", Doc: "whether JSON's null is a value, of no type but any, or nothing", Default: "value", Is: KindWord, Words: []string{"missing", "value"}},
		{Name: "secret", Doc: "whether no expression may name it", Default: "false but for roles that are secrets", Is: KindBool},
		{Name: "take", Doc: "a regular expression (RE2) with one group: the value is what that matches, before any rule is asked; what does not match stays as it is", Default: "all of it", Is: KindText},
		{Name: "decode", Doc: "form, where both parts of basic are form-encoded (RFC 6749 section 2.3.1)", Is: KindWord, Words: []string{"form"}},
		{Name: "label", Doc: "its readable name, for issue.label", Default: "its name on the wire", Is: KindText},
		docSlot,
		{Name: "else", Doc: "what breaking a rule means: of all rules, or by rule", Default: "missing_field, invalid_field or password_refused", Is: KindWord | KindShape, Words: requestKindNames, Of: &elseShape},
		{Name: ruleMin, Doc: "the least length in characters or items, or the least number", Is: KindWhole},
		{Name: ruleMax, Doc: "the most, likewise", Is: KindWhole},
		{Name: rulePattern, Doc: "a regular expression (RE2) that text must match", Is: KindText},
		{Name: ruleFormat, Doc: "a form that text must have", Is: KindWord, Words: []string{"email", "uuid", "uri", "date_time"}},
		{Name: ruleDomain, Doc: "which domains an e-mail address may have", Is: KindShape, Of: &domainShape},
		{Name: ruleOneOf, Doc: "the values that it may have", Is: KindList, Item: &Slot{Is: KindAny}},
		{Name: ruleEquals, Doc: "the one value that it may have", Is: KindAny},
		{Name: ruleMustAgree, Doc: "inputs that must have the same value where they are there", Is: KindList, Item: &Slot{Is: KindText}},
	},
}

var elseShape = Shape{
	Name: "else", Doc: "What breaking each rule of an input means.",
	Own: &Slot{Doc: "the outcome", Is: KindWord, Words: requestKindNames},
	Names: slices.DeleteFunc(slices.Clone(ruleNames), func(rule string) bool {
		return slices.Contains([]string{ruleWhen, ruleUnknownInput, ruleRefused}, rule)
	}),
}

var domainShape = Shape{
	Name: "domain", Doc: "Which domains an e-mail address may have: exact ones, or suffixes that begin with a dot. Exactly one member is there.",
	Members: []Slot{
		{Name: "only", Doc: "no others than these", Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "except", Doc: "all others than these", Is: KindList, Item: &Slot{Is: KindText}},
	},
}

var doShape = Shape{
	Name: "do", Doc: "What a route does.",
	Members: []Slot{
		{Name: "operation", Doc: "the operation", Hint: "such as operation: authenticate", Need: true, Is: KindWord, Words: operationNames()},
		{Name: "issue", Doc: "the token that it issues", Is: KindText},
		{Name: "as", Doc: "whom it takes, in the order of trying", Default: "the file's subject", Is: KindList, Item: &subjectSlot},
		{Name: "of", Doc: "the tokens that it takes, or whose refresh token; of introspect and revoke with an input token it is said of that one, and others are as if unknown. Others are token_foreign", Default: "all of them", Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "caller", Doc: "who asks, of introspect and revoke; none, who need not say who they are, goes with revoke alone", Default: "bearer", Is: KindWord, Words: []string{"bearer", "client", "none"}},
		{Name: "client", Doc: "whether a request must come from a client, where the inputs have one", Default: "required", Is: KindWord, Words: []string{"required", "optional"}},
		{Name: "with", Doc: "what is granted beside the identity: named expressions, the facts granted.NAME", Is: KindShape, Of: &withShape},
		{Name: "allow", Doc: "a condition, asked once the proof has been given", Is: KindExpression},
		{Name: "else", Doc: "the outcome where allow does not hold", Default: "forbidden", Is: KindWord, Words: []string{"forbidden", "scope_denied", "bad_grant", "bad_credentials"}},
		{Name: "lifetime", Doc: "the token's life in seconds, within the bounds of the token's lifetime", Is: KindExpression},
		{Name: "refresh", Doc: "whether a refresh token is given too, where the token has one", Default: "true", Is: KindBool | KindExpression},
		{Name: "same", Doc: "whether extend lets the token at hand live longer, instead of giving another: of opaque tokens. At the session's end it gives what is left", Default: "false", Is: KindBool},
		{Name: "old", Doc: "what extend does with the token at hand", Default: "keep", Is: KindWord, Words: []string{"keep", "end"}},
		{Name: "second_factor", Doc: "whether accounts that have one are asked for their second factor", Default: "ask", Is: KindWord, Words: []string{"ask", "ignore"}},
		{Name: "set", Doc: "what register gives to the new account", Is: KindShape, Of: &setShape},
		{Name: "outcome", Doc: "the refusal of fixed", Default: "a success", Is: KindWord, Words: kindNames},
	},
}

var withShape = Shape{
	Name: "with", Doc: "What is granted beside the identity, at most eight: it goes into the token's session.",
	Own: &Slot{Doc: "the value", Is: KindExpression}, Pattern: inputName.String(),
}

var setShape = Shape{
	Name: "set", Doc: "What register gives to the new account.",
	Members: []Slot{
		{Name: "attributes", Doc: "attributes of the realm, each from an input or now", Is: KindShape, Of: &setAttributesShape},
		{Name: "roles", Doc: "the account's roles", Is: KindList, Item: &Slot{Is: KindText}},
		{Name: "verified", Doc: "whether the account counts as verified though nobody proved the address", Default: "false", Is: KindBool},
	},
}

var setAttributesShape = Shape{
	Name: "set.attributes", Doc: "A new account's attributes.",
	Own: &Slot{Doc: "input.NAME or now", Is: KindText},
}
