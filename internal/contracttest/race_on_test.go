//go:build race

package contracttest

// underRace: the race detector makes hashes and requests several times dearer,
// so the tests of sheer number do less. They run whole without it.
const underRace = true
