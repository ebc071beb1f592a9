package strictyaml

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Plain digits only: YAML reads 010, 0x10 and 1_000 in surprising ways.
var (
	decimal  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	fraction = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

func (d *decoder) number(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || !decimal.MatchString(n.Value) {
		d.Report(path, "must be a whole number, not "+describe(n), "write plain digits, without quotes")
		return
	}
	number, err := strconv.ParseInt(n.Value, 10, 32)
	if err != nil {
		d.Report(path, "is out of range: "+Clip(n.Value), "write a number with fewer digits")
		return
	}
	if message, hint := outOfBounds(float64(number), n.Value, tag); message != "" {
		d.Report(path, message, hint)
		return
	}
	v.SetInt(number)
}

// amount is a number that may have a fraction, but no exponent.
func (d *decoder) amount(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	tagged := n.ShortTag()
	if n.Kind != yaml.ScalarNode || (tagged != "!!int" && tagged != "!!float") || !fraction.MatchString(n.Value) {
		d.Report(path, "must be a number, not "+describe(n), "write plain digits, such as 0.027, without quotes")
		return
	}
	number, err := strconv.ParseFloat(n.Value, 64)
	if err != nil {
		d.Report(path, "is out of range: "+Clip(n.Value), "write a number with fewer digits")
		return
	}
	if message, hint := outOfBounds(number, Clip(n.Value), tag); message != "" {
		d.Report(path, message, hint)
		return
	}
	v.SetFloat(number)
}

// outOfBounds is the problem of a number, as it was written, that is not between min
// (0 unless given) and max.
func outOfBounds(number float64, written string, tag reflect.StructTag) (message, hint string) {
	least, most := cmp.Or(tag.Get("min"), "0"), tag.Get("max")
	low, _ := strconv.ParseFloat(least, 64)
	high, err := strconv.ParseFloat(most, 64)
	switch {
	case err == nil && (number < low || number > high):
		return fmt.Sprintf("must be from %s to %s, not %s", least, most, written), "write a number in that range, or remove the key"
	case number < low:
		return fmt.Sprintf("must be at least %s, not %s", least, written), fmt.Sprintf("write %s or more, or remove the key", least)
	}
	return "", ""
}

func (d *decoder) boolean(n *yaml.Node, path string, v reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool":
		d.Report(path, "must be true or false, not "+describe(n), "write true or false, without quotes")
	case strings.EqualFold(n.Value, "true"):
		v.SetBool(true)
	case strings.EqualFold(n.Value, "false"):
		v.SetBool(false)
	default:
		d.Report(path, "must be true or false, not "+Quote(n.Value), "write true or false, without quotes")
	}
}

const durationHint = "write whole numbers with units, largest first, such as 14d, 12h or 1h30m"

// duration reads a Duration or a time.Duration. Only the second can be negative, or
// a zero without a unit.
func (d *decoder) duration(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	written, plain := n.Value, v.Type() == plainType
	if plain && n.Kind == yaml.ScalarNode && written == "0" {
		return
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		d.Report(path, "must be a duration, not "+describe(n), durationHint)
		return
	}
	negative := false
	if plain && tag.Get("signed") != "" {
		written, negative = strings.CutPrefix(written, "-")
	}
	length, err := ParseDuration(written)
	switch {
	case err != nil:
		d.Report(path, "must be a duration: "+err.Error(), durationHint)
	case length.Duration() == 0 && tag.Get("positive") != "":
		d.Report(path, "must be longer than "+Clip(n.Value), "give it a length, or remove the key")
	case negative:
		v.SetInt(-int64(length.Duration()))
	case plain:
		v.SetInt(int64(length.Duration()))
	default:
		v.Set(reflect.ValueOf(length))
	}
}

func (d *decoder) size(n *yaml.Node, path string, v reflect.Value) {
	const hint = "write a number of bytes, or a number with a unit, such as 120MB or 1.5GiB"
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.Report(path, "must be a size, not "+describe(n), hint)
		return
	}
	bytes, err := ParseSize(n.Value)
	if err != nil {
		d.Report(path, err.Error(), hint)
		return
	}
	v.SetInt(bytes)
}

// text reads a string. One that has the options true and false takes those as plain
// words, as a boolean does.
func (d *decoder) text(n *yaml.Node, path string, v reflect.Value, tag reflect.StructTag) {
	options := strings.Split(tag.Get("one"), "|")
	isWord := n.Kind == yaml.ScalarNode && (n.Value == "true" || n.Value == "false") && slices.Contains(options, n.Value)
	switch {
	case isWord && isText(n):
		d.Report(path, "must be "+oneOf(options)+", not "+describe(n), "remove the quotes")
		return
	case !isWord && !isText(n) && (!d.format.Bare && tag.Get("bare") == "" || n.Kind != yaml.ScalarNode):
		hint := "write one string"
		if n.Kind == yaml.ScalarNode && len(options) > 1 {
			hint = "write " + oneOf(options)
		} else if n.Kind == yaml.ScalarNode {
			hint = "put it in quotes: " + Quote(n.Value)
			if _, remedy := d.checkText(n.Value, tag); remedy != "" { // quotes alone would not help
				hint = remedy
			}
		}
		d.Report(path, "must be a string, not "+describe(n), hint)
		return
	}
	if n.Value == "" && d.blank(tag) {
		v.SetString("")
		return
	}
	if message, hint := d.checkText(n.Value, tag); message != "" {
		d.Report(path, message, hint)
		return
	}
	v.SetString(n.Value)
}

// blank reports whether an empty string or list is allowed.
func (d *decoder) blank(tag reflect.StructTag) bool { return d.format.Blank || tag.Get("blank") != "" }

// checkText applies the rules for all strings and the rules of the tag.
func (d *decoder) checkText(s string, tag reflect.StructTag) (message, hint string) {
	switch {
	case s == "":
		return "must not be empty", "give it a value, or remove it"
	case tag.Get("lines") != "":
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			return "must not have control characters", "remove them"
		}
	case strings.ContainsFunc(s, unicode.IsControl):
		return "must not have line breaks or control characters", "write it on one line"
	case strings.TrimSpace(s) != s:
		return fmt.Sprintf("must not begin or end with a space: %s", Quote(s)), "remove the space"
	}
	if one := tag.Get("one"); one != "" {
		options := strings.Split(one, "|")
		if slices.Contains(options, s) {
			return "", ""
		}
		return NotOneOf(s, options)
	}
	if check, ok := d.format.Checks[tag.Get("is")]; ok {
		return check(s)
	}
	return "", ""
}

// NotOneOf is the problem of a string that is not one of the options.
func NotOneOf(s string, options []string) (message, hint string) {
	hint = "write one of them"
	if meant := text.Nearest(s, options); meant != "" {
		hint = fmt.Sprintf("did you mean %q?", meant)
	}
	return fmt.Sprintf("must be %s, not %s", oneOf(options), Quote(s)), hint
}

func oneOf(options []string) string {
	if len(options) == 2 {
		return options[0] + " or " + options[1]
	}
	return "one of " + strings.Join(options, ", ")
}
