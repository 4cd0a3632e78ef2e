package chancery

import "github.com/chancery-auth/chancery/internal/store"

// ErrNewerDatabase is the cause when a database was written by a newer Chancery:
// this one would not understand it, and does not touch it.
var ErrNewerDatabase = store.ErrNewer
