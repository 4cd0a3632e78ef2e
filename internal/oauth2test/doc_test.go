// Package oauth2test shows that libraries of other people work against the dialect
// oauth2 unchanged, over a real socket: golang.org/x/oauth2, go-oidc, and jose of npm;
// and what the RFCs ask beside that which no library looks at.
package oauth2test
