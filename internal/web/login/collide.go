package login

import (
	"errors"
	"fmt"
	"strings"
)

// CheckCollisions tells every pair of mounts that want the same request, and
// every protected path that is taken: the order of mounts is the configuration's,
// whose words it uses.
func CheckCollisions(mounts []Mount) error {
	var faults []error
	for i := range mounts {
		for j := range i {
			if sharesPlace(mounts[j], mounts[i]) {
				faults = append(faults, collisions(mounts, j, i)...)
			}
		}
		faults = append(faults, hidden(mounts, i)...)
	}
	return errors.Join(faults...)
}

func sharesPlace(a, b Mount) bool { return strings.EqualFold(a.Host, b.Host) && a.Prefix == b.Prefix }

func collisions(mounts []Mount, first, second int) (faults []error) {
	const hint = "give one of them a prefix or a host of its own"
	for _, a := range mounts[first].Dialect.Paths() {
		for _, b := range mounts[second].Dialect.Paths() {
			if !overlap(a, b) {
				continue
			}
			what := a
			if a != b {
				what = a + " and " + b
			}
			faults = append(faults, fmt.Errorf("serve[%d]: dialect %s and serve[%d], dialect %s, both answer %s: %s",
				second, mounts[second].Dialect.Name(), first, mounts[first].Dialect.Name(), what, hint))
		}
	}
	return faults
}

// hidden tells the protected paths of mount i that a route answers in their
// place, or that another protected path is.
func hidden(mounts []Mount, i int) (faults []error) {
	for p, protected := range mounts[i].Protected {
		place := fmt.Sprintf("serve[%d].protect[%d].path: %s", i, p, protected.Path)
		for j := range mounts {
			if !sharesPlace(mounts[i], mounts[j]) {
				continue
			}
			for _, route := range mounts[j].Dialect.Paths() {
				if _, path, _ := strings.Cut(route, " "); samePath(path, protected.Path) {
					faults = append(faults, fmt.Errorf("%s is a route of dialect %s (%s), which is answered here and never passed on: choose a path beside it",
						place, mounts[j].Dialect.Name(), route))
				}
			}
			for q, other := range mounts[j].Protected {
				if other.Path == protected.Path && (j < i || (j == i && q < p)) {
					faults = append(faults, fmt.Errorf("%s is protected already by serve[%d].protect[%d]: remove one of them", place, j, q))
				}
			}
		}
	}
	return faults
}

// overlap reports whether one request can fit two routes such as "POST /login"
// or "POST /recover/{email}".
func overlap(a, b string) bool {
	methodA, pathA, _ := strings.Cut(a, " ")
	methodB, pathB, _ := strings.Cut(b, " ")
	return methodA == methodB && samePath(pathA, pathB)
}

func samePath(a, b string) bool {
	segmentsA, segmentsB := strings.Split(a, "/"), strings.Split(b, "/")
	if len(segmentsA) != len(segmentsB) {
		return false
	}
	for i, s := range segmentsA {
		if s != segmentsB[i] && !isParameter(s, segmentsB[i]) && !isParameter(segmentsB[i], s) {
			return false
		}
	}
	return true
}

// isParameter reports whether a pattern's segment takes any segment; none takes
// the empty one.
func isParameter(segment, other string) bool {
	return strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") && other != ""
}
