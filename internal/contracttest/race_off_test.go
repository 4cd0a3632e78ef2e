//go:build !race

package contracttest

const underRace = false
