package dialect

import (
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// An OutcomeDoc tells people what an outcome means, and what to do about it.
type OutcomeDoc struct {
	Kind core.Kind
	Advice
}

// An Advice tells a cause, and what to do about it.
type Advice struct{ Cause, Remedy string }

// Outcomes tells of every outcome that a file can word, in the order of the manual.
func Outcomes() []OutcomeDoc {
	all := make([]OutcomeDoc, 0, len(outcomeDocs))
	for _, kind := range core.Kinds() {
		all = append(all, OutcomeDoc{kind, outcomeDocs[kind]})
	}
	return all
}

const (
	fixRequest  = "Correct the request; the same one will fail again."
	signInAgain = "Sign in again."
	askPerson   = "Ask the person to try again; do not say which part was wrong, and do not repeat it by yourself."
	askAdmin    = "Only an administrator can change that."
	askNewMail  = "Ask for a new mail."
)

var outcomeDocs = map[core.Kind]Advice{
	core.InvalidRequest:   {"The request does not have the form that it must have.", fixRequest},
	core.MalformedBody:    {"The body cannot be read.", "Send a body of the media type that its Content-Type names."},
	core.BodyMissing:      {"There is no body.", "Send one."},
	core.BodyType:         {"The body is not an object.", "Send an object with the inputs as its members."},
	core.BadEncoding:      {"The body is not UTF-8.", "Encode it as UTF-8."},
	core.BoundaryMissing:  {"The Content-Type of a multipart body names no boundary.", "Let your HTTP library write the Content-Type."},
	core.TooManyFields:    {"The body has too many fields.", "Send those alone that are listed."},
	core.FieldTooLarge:    {"A field of the body is too large.", "Send a shorter one."},
	core.WrongContentType: {"The body is of a media type that is not taken.", "Send one of the media types that are listed."},
	core.TooLarge:         {"The body is too large.", "Send the inputs alone."},
	core.MissingField:     {"An input is missing that must be there.", "Send it."},
	core.InvalidField:     {"An input breaks a rule.", fixRequest},
	core.PasswordRefused:  {"The new password is too weak.", "Ask for another one, and show the reason."},
	core.BadGrant:         {"What is asked for is not among what there is here.", fixRequest},
	core.ScopeDenied:      {"More is asked for than this caller may have.", "Ask for less, or have it allowed by an administrator."},

	core.BadCredentials:   {"The credentials are wrong, or may not be used.", askPerson},
	core.Unknown:          {"The credentials are wrong, or may not be used.", askPerson},
	core.BadSecret:        {"The credentials are wrong, or may not be used.", askPerson},
	core.BadClient:        {"The client is unknown, or its secret is wrong.", "Check the client's id and secret."},
	core.Inactive:         {"The account has been disabled.", askAdmin},
	core.Unverified:       {"The account has not been verified.", "Have the person follow the link in the mail, or ask for a new one."},
	core.Locked:           {"The account is locked.", askAdmin},
	core.KeyPending:       {"The access key is not active yet.", "Wait until it has been activated."},
	core.KeyExpired:       {"The access key has expired.", "Get a new one."},
	core.KeyRevoked:       {"The access key has been revoked.", "Get a new one."},
	core.MFARequired:      {"The password is right, and a second factor is needed.", "Ask for the code, and send it with what this reply holds."},
	core.BadOTP:           {"The code of the second factor is wrong, or has been used.", "Ask for the next code."},
	core.MustChangeSecret: {"The password must be changed first.", "Have the person set a new one."},

	core.Unauthorized:      {"The request has no token that holds.", signInAgain},
	core.TokenMissing:      {"The request has no token.", "Send the token as shown under “Use the token”."},
	core.TokenInvalid:      {"The token does not hold.", signInAgain},
	core.TokenExpired:      {"The token has expired.", signInAgain},
	core.TokenRevoked:      {"The token has been ended before its time.", signInAgain},
	core.TokenForeign:      {"The token is for something else.", "Send a token that you got here."},
	core.AccountGone:       {"The token's account is there no more.", askAdmin},
	core.AccountInactive:   {"The token's account has been disabled.", askAdmin},
	core.AccountUnverified: {"The token's account has not been verified.", "Have the person follow the link in the mail."},
	core.SessionOver:       {"The session cannot be extended any further.", signInAgain},

	core.BadRefresh:     {"The refresh token does not hold.", signInAgain},
	core.RefreshUnknown: {"The refresh token is unknown.", signInAgain},
	core.RefreshReused:  {"The refresh token had been used before, so its session has been ended.", "Sign in again, and keep the newest refresh token alone."},
	core.RefreshExpired: {"The refresh token has expired.", signInAgain},
	core.RefreshRevoked: {"The refresh token has been ended before its time.", signInAgain},
	core.SubjectInvalid: {"The token in question does not hold, for whatever reason.", "Treat whoever brought it as not signed in."},

	core.BadTicket:      {"The ticket does not hold.", askNewMail},
	core.TicketUnknown:  {"The ticket is unknown.", askNewMail},
	core.TicketUsed:     {"The ticket has been used.", askNewMail},
	core.TicketExpired:  {"The ticket has expired.", askNewMail},
	core.TicketInactive: {"The ticket's account has been disabled.", askAdmin},

	core.AccountExists:   {"There is an account of that name already.", "Sign in, or recover the password."},
	core.AlreadyVerified: {"The account has been verified already.", "Nothing needs to be done: sign in."},

	core.RateLimited:      {"There were too many failing attempts.", "Wait as long as Retry-After says, in seconds."},
	core.Forbidden:        {"Who asks may not have that.", askAdmin},
	core.Unavailable:      {"The server cannot answer at the moment.", "Try again after as many seconds as Retry-After says."},
	core.NotFound:         {"There is nothing at that path.", "Compare the path letter by letter; upper and lower case differ."},
	core.MethodNotAllowed: {"The path does not know that method.", "Use one of the methods that Allow names."},
	core.Internal:         {"Something unforeseen happened.", "Try again later. If it stays, report the time at which it happened."},
}

// challengeDocs are for tickets that wait for a second factor: no mail brought them.
var challengeDocs = map[core.Kind]Advice{
	core.BadTicket:      {"The challenge does not hold.", signInAgain},
	core.TicketUnknown:  {"The challenge is unknown.", signInAgain},
	core.TicketUsed:     {"The challenge has been used.", signInAgain},
	core.TicketExpired:  {"The challenge has expired.", signInAgain},
	core.TicketInactive: {"The account has been disabled.", askAdmin},
}

// advice tells what the outcome means at a route, nil for any, and what to do.
func (o *OutcomeInfo) advice(rt *route) Advice {
	told := o.Kind
	switch {
	case len(o.Kinds) == 1:
		told = o.Kinds[0]
	case told == core.Unauthorized && slices.ContainsFunc(o.Kinds, isRefresh) && !slices.ContainsFunc(o.Kinds, isToken):
		told = core.BadRefresh // no token comes to that route
	}
	if rt != nil && rt.operation.name == Resume && challengeDocs[told] != (Advice{}) {
		return challengeDocs[told]
	}
	advice := outcomeDocs[told]
	if told == core.MFARequired && !slices.ContainsFunc(o.Replies, func(r ReplyInfo) bool { return r.tells("challenge.value") }) {
		advice.Remedy = "Ask for the code, and sign in again with it."
	}
	return advice
}

func isRefresh(kind core.Kind) bool { return kind.IsA(core.BadRefresh) }

func isToken(kind core.Kind) bool { return kind == core.TokenMissing || kind.IsA(core.TokenInvalid) }

// tells reports whether the reply holds a fact: in its body, a header or a cookie.
func (r *ReplyInfo) tells(fact string) bool {
	_, _, found := r.Schema.Find(fact)
	return found || slices.ContainsFunc(r.Headers, func(h HeaderInfo) bool { return h.Schema.Fact == fact }) ||
		slices.ContainsFunc(r.Cookies, func(c CookieInfo) bool { return c.Schema.Fact == fact })
}

// RareRank is that of outcomes which callers seldom meet.
const RareRank = 5

// Rank orders outcomes by how much callers have to do with them, the most first.
func Rank(kind core.Kind) int {
	switch {
	case kind.IsA(core.BadCredentials):
		return 0
	case kind.IsA(core.Unauthorized), kind == core.Forbidden, kind == core.SubjectInvalid:
		return 1
	case kind.IsA(core.MalformedBody), kind == core.TooLarge, kind == core.WrongContentType,
		kind == core.NotFound, kind == core.MethodNotAllowed, kind == core.Unavailable, kind == core.Internal:
		return RareRank
	case kind.IsA(core.InvalidRequest):
		return 2
	case kind == core.RateLimited:
		return 4
	default:
		return 3
	}
}
