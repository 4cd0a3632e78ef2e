package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// Bounds of what a difference shows.
const (
	shortBody   = 120   // bytes: bodies up to that are shown whole, one above the other
	diffContext = 2     // lines around a change
	maxDiff     = 1_000 // lines of a body that are compared
)

// bodyDiff tells how a body differs from the expected one, for people: short ones
// whole, others by their lines, and where members are the same in another order
// that above all.
func bodyDiff(want, got []byte) string {
	wanted, err := body.ParseJSON(want, replyLimits)
	have, other := body.ParseJSON(got, replyLimits)
	var b strings.Builder
	if err == nil && other == nil {
		orderDiff(&b, "", wanted, have)
	}
	if len(want) <= shortBody && len(got) <= shortBody {
		return b.String() + "body: got  " + string(got) + "\n      want " + string(want) + "\n"
	}
	lines := func(v body.Value, err error, text []byte) []string {
		if err == nil {
			return treeLines(nil, "", v, 0)
		}
		return strings.Split(strings.ReplaceAll(string(text), "><", ">\n<"), "\n")
	}
	b.WriteString("body: - is wanted, + is what came\n")
	for _, line := range lineDiff(lines(wanted, err, want), lines(have, other, got)) {
		b.WriteString("      " + line + "\n")
	}
	return b.String()
}

// orderDiff tells of objects whose members are the same in another order.
func orderDiff(b *strings.Builder, at string, want, got body.Value) {
	names := func(v body.Value) []string {
		all := make([]string, len(v.Members()))
		for i, m := range v.Members() {
			all[i] = m.Name()
		}
		return all
	}
	wanted, have := names(want), names(got)
	if !slices.Equal(wanted, have) && slices.Equal(slices.Sorted(slices.Values(wanted)), slices.Sorted(slices.Values(have))) {
		where := at
		if where == "" {
			where = "the body"
		}
		b.WriteString("order of " + where + ": got " + strings.Join(have, ", ") + "; want " + strings.Join(wanted, ", ") + "\n")
	}
	for _, m := range want.Members() {
		if other, ok := got.Member(m.Name()); ok {
			orderDiff(b, at+"/"+m.Name(), m.Value(), other)
		}
	}
	for i, item := range want.Items() {
		if i < len(got.Items()) {
			orderDiff(b, at+"/"+strconv.Itoa(i), item, got.Items()[i])
		}
	}
}

// treeLines writes a tree in lines, without the commas that would make lines differ
// that are the same.
func treeLines(lines []string, name string, v body.Value, depth int) []string {
	indent := strings.Repeat("  ", depth)
	if name != "" {
		name = string(appendString(nil, name)) + ": "
	}
	switch {
	case v.Kind() == body.Object && len(v.Members()) > 0:
		lines = append(lines, indent+name+"{")
		for _, m := range v.Members() {
			lines = treeLines(lines, m.Name(), m.Value(), depth+1)
		}
		return append(lines, indent+"}")
	case v.Kind() == body.List && len(v.Items()) > 0:
		lines = append(lines, indent+name+"[")
		for _, item := range v.Items() {
			lines = treeLines(lines, "", item, depth+1)
		}
		return append(lines, indent+"]")
	default:
		return append(lines, indent+name+string(body.AppendJSON(nil, v)))
	}
}

// lineDiff marks the lines of want that got lacks with - and those of got that want
// lacks with +, and leaves out what is far from both.
func lineDiff(want, got []string) []string {
	want, got = want[:min(len(want), maxDiff)], got[:min(len(got), maxDiff)]
	common := commonLines(want, got)
	var all []string
	i, k := 0, 0
	for i < len(want) || k < len(got) {
		switch {
		case i < len(want) && k < len(got) && want[i] == got[k] && common[i][k] == common[i+1][k+1]+1:
			all = append(all, "  "+want[i])
			i, k = i+1, k+1
		case k == len(got) || i < len(want) && common[i+1][k] >= common[i][k+1]:
			all = append(all, "- "+want[i])
			i++
		default:
			all = append(all, "+ "+got[k])
			k++
		}
	}
	return nearChanges(all)
}

// commonLines counts, from each pair of lines on, the most that both have in common.
func commonLines(want, got []string) [][]int {
	common := make([][]int, len(want)+1)
	for i := range common {
		common[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for k := len(got) - 1; k >= 0; k-- {
			if want[i] == got[k] {
				common[i][k] = common[i+1][k+1] + 1
			} else {
				common[i][k] = max(common[i+1][k], common[i][k+1])
			}
		}
	}
	return common
}

// nearChanges keeps the lines that are no further than a few from a change.
func nearChanges(lines []string) []string {
	var kept []string
	skipped := false
	for i, line := range lines {
		around := lines[max(0, i-diffContext):min(len(lines), i+diffContext+1)]
		if !slices.ContainsFunc(around, func(l string) bool { return l[0] != ' ' }) {
			skipped = true
			continue
		}
		if skipped {
			kept, skipped = append(kept, "  …"), false
		}
		kept = append(kept, line)
	}
	if skipped {
		kept = append(kept, "  …")
	}
	return kept
}
