// Package counter counts failing sign-ins and requests, and refuses further ones
// while there are too many: the [core.Attempts] of a single process, in memory.
//
// It does not know what an attempt is, how its identity is spelled, or in which words
// a refusal is told: core gives the key and the outcome. Rates are GCRA, computed by
// throttled. Start at [New] and [Memory.Begin].
package counter
