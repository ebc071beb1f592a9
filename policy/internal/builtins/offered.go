package builtins

import (
	"strings"
	"sync"
)

// offered are the built-in functions that policies may call, with their bounds. nil
// is for those that take no more than about their arguments. A function that is not here does
// not compile: functions whose result depends on more than their arguments, those
// that cannot be bounded, and those that a new version of OPA brings.
var offered = sync.OnceValue(func() map[string]bound {
	all := map[string]bound{
		"array.concat":                     listsBound,
		"array.flatten":                    treeBound,
		"bits.lsh":                         shiftBound,
		"concat":                           concatBound,
		"glob.match":                       globBound,
		"internal.print":                   printBound,
		"internal.template_string":         printBound,
		"json.filter":                      treeBound,
		"json.is_valid":                    parseBound,
		"json.marshal":                     treeBound,
		"json.remove":                      treeBound,
		"json.unmarshal":                   parseBound,
		"numbers.range":                    rangeBound,
		"numbers.range_step":               rangeBound,
		"object.subset":                    subsetBound,
		"object.union":                     treeBound,
		"object.union_n":                   treeBound,
		"product":                          digitsBound,
		"regex.find_all_string_submatch_n": findBound,
		"regex.find_n":                     findBound,
		"regex.is_valid":                   patternBound,
		"regex.match":                      matchBound,
		"regex.replace":                    regexReplaceBound,
		"regex.split":                      regexSplitBound,
		"replace":                          replaceBound,
		"split":                            splitBound,
		"sprintf":                          sprintfBound,
		"strings.any_prefix_match":         pairsBound,
		"strings.any_suffix_match":         pairsBound,
		"strings.replace_n":                replaceNBound,
		"sum":                              digitsBound,
		"trim":                             trimBound,
		"trim_left":                        trimBound,
		"trim_right":                       trimBound,
		"units.parse":                      unitsBound,
		"units.parse_bytes":                unitsBound,
		"yaml.is_valid":                    parseBound,
		"yaml.marshal":                     treeBound,
		"yaml.unmarshal":                   parseBound,
	}
	for _, name := range strings.Fields(linear) {
		all[name] = nil
	}
	return all
})

// linear are the functions that take about as much as their arguments.
const linear = `
	abs and array.reverse array.slice assign base64.decode base64.encode base64.is_valid
	base64url.decode base64url.encode base64url.encode_no_pad bits.and bits.negate bits.or
	bits.rsh bits.xor ceil contains count crypto.hmac.equal crypto.hmac.md5 crypto.hmac.sha1
	crypto.hmac.sha256 crypto.hmac.sha512 crypto.md5 crypto.sha1 crypto.sha256 div endswith
	eq equal floor format_int glob.quote_meta gt gte hex.decode hex.encode indexof indexof_n
	internal.member_2 internal.member_3 internal.test_case intersection is_array is_boolean
	is_null is_number is_object is_set is_string lower lt lte max min minus mul neq
	object.filter object.get object.keys object.remove or plus print rem round
	semver.compare semver.is_valid sort startswith strings.count strings.reverse
	strings.split_n substring time.add_date time.clock time.date time.diff time.format
	time.now_ns time.parse_duration_ns time.parse_ns time.parse_rfc3339_ns time.weekday
	to_number trace trim_prefix trim_space trim_suffix type_name union upper uri.is_valid
	uri.parse urlquery.decode urlquery.decode_object urlquery.encode urlquery.encode_object
	uuid.parse walk`
