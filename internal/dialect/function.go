package dialect

import (
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// functions are what expressions know beside CEL's own: the forms of an instant.
func functions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("iso", cel.Overload("iso_timestamp_int", []*cel.Type{cel.TimestampType, cel.IntType}, cel.StringType,
			cel.BinaryBinding(func(t, digits ref.Val) ref.Val { return instantText(t, digits, appendISO) }))),
		cel.Function("iso_full", cel.Overload("iso_full_timestamp_int", []*cel.Type{cel.TimestampType, cel.IntType}, cel.StringType,
			cel.BinaryBinding(func(t, digits ref.Val) ref.Val { return instantText(t, digits, appendFullISO) }))),
		cel.Function("epoch", cel.Overload("epoch_timestamp", []*cel.Type{cel.TimestampType}, cel.IntType,
			cel.UnaryBinding(func(t ref.Val) ref.Val { return types.Int(t.(types.Timestamp).Time.Unix()) }))),
		cel.Function("epoch_ms", cel.Overload("epoch_ms_timestamp", []*cel.Type{cel.TimestampType}, cel.IntType,
			cel.UnaryBinding(func(t ref.Val) ref.Val { return types.Int(t.(types.Timestamp).Time.UnixMilli()) }))),
	}
}

func instantText(t, digits ref.Val, form func([]byte, time.Time, int) []byte) ref.Val {
	n := int(digits.(types.Int))
	if n < 0 || n > 9 {
		return types.NewErr("iso: %d is not a number of digits from 0 to 9", n)
	}
	return types.String(form(nil, t.(types.Timestamp).Time, n))
}

// appendISO writes an instant as Python's isoformat does for UTC, with Z: no
// fraction where there would be nothing but zeros.
func appendISO(dst []byte, t time.Time, digits int) []byte {
	if fraction(t, digits) == 0 {
		digits = 0
	}
	return appendFullISO(dst, t, digits)
}

// appendFullISO writes an instant with all its digits, the rest cut off.
func appendFullISO(dst []byte, t time.Time, digits int) []byte {
	t = t.UTC()
	dst = t.AppendFormat(dst, "2006-01-02T15:04:05")
	if digits > 0 {
		text := strconv.Itoa(fraction(t, digits))
		dst = append(dst, '.')
		for range digits - len(text) {
			dst = append(dst, '0')
		}
		dst = append(dst, text...)
	}
	return append(dst, 'Z')
}

func fraction(t time.Time, digits int) int {
	f := t.Nanosecond()
	for range 9 - digits {
		f /= 10
	}
	return f
}

// instantCall is the quick way for iso, epoch and their like of one fact; absent
// stays absent. It returns nil where CEL had better look at the call.
func (r *reader) instantCall(m []string, p *place) *leaf {
	v, problem, _ := p.resolve(r, m[2])
	if problem != "" || v.typ != instantType {
		return nil
	}
	name, digits := m[1], -1
	if m[3] != "" {
		digits = int(m[3][0] - '0')
	}
	iso := name == "iso" || name == "iso_full"
	if iso != (digits >= 0) {
		return nil
	}
	l := &leaf{typ: integerType, nullable: v.nullable}
	if iso {
		l.typ = textType
	}
	l.get = func(s *scope) (any, error) {
		t, ok := v.get(s).(time.Time)
		switch {
		case !ok:
			return nil, nil
		case name == "iso":
			return string(appendISO(nil, t, digits)), nil
		case name == "iso_full":
			return string(appendFullISO(nil, t, digits)), nil
		case name == "epoch":
			return t.Unix(), nil
		}
		return t.UnixMilli(), nil
	}
	return l
}
