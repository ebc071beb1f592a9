package outlook

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Ages are the ages at which a rule of a configuration may decide otherwise.
type Ages struct {
	ages   []time.Duration
	inside bool // a label has an age
}

// AgesIn are all ages in the document of a configuration, in whatever rule, and 0: the age
// of what is in the future.
func AgesIn(document any) Ages {
	ages, inside := map[time.Duration]bool{0: true}, false
	var collect func(any)
	collect = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if strings.HasSuffix(key, "_seconds") {
					ages[secondsOf(value)] = true
				}
				inside = inside || key == "older_than_label"
				collect(value)
			}
		case []any:
			for _, value := range v {
				collect(value)
			}
		}
	}
	collect(document)
	return Ages{slices.Sorted(maps.Keys(ages)), inside}
}

func secondsOf(v any) time.Duration {
	switch v := v.(type) {
	case int64:
		return time.Duration(v) * time.Second
	case float64:
		return time.Duration(v * float64(time.Second))
	}
	return 0
}

// slack is how inexactly the age of something may be compared with a time.
const slack = 2 * time.Second

// QuietUntil is when, after a time, something in an image next reaches one of the ages;
// zero if something just does. What could not be read may be of any time, and an age in a
// label may be any.
func (a Ages) QuietUntil(image *registry.Image, now time.Time) time.Time {
	if len(image.Unread) > 0 || a.inside && len(image.Contents) > 0 {
		return time.Time{}
	}
	times := append(make([]time.Time, 0, 2*len(image.Tags)+len(image.Contents)+2), image.CreatedAt, image.UpdatedAt)
	for i := range image.Tags {
		times = append(times, image.Tags[i].CreatedAt, image.Tags[i].UpdatedAt)
	}
	for _, content := range image.Contents {
		if !content.BuiltAt.IsZero() {
			times = append(times, content.BuiltAt)
		}
	}
	until := now.AddDate(100, 0, 0)
	for _, since := range times {
		for _, age := range a.ages {
			reached := since.Add(age)
			switch {
			case reached.Add(slack).Before(now):
			case !reached.Add(-slack).After(now):
				return time.Time{}
			case reached.Before(until):
				until = reached
			}
		}
	}
	return until.Add(-slack)
}
