package config

import (
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// ParseDuration reads a duration as the configuration writes it: "14d", "1w12h".
func ParseDuration(text string) (time.Duration, error) {
	d, err := strictyaml.ParseDuration(text)
	return d.Duration(), err
}

// EmptyAges are the ages that the rules on what is empty name.
func (c *Config) EmptyAges() []time.Duration {
	var ages []time.Duration
	for _, r := range []*rules.EmptyRule{c.Empty.Images, c.Empty.Namespaces} {
		if r != nil {
			ages = append(ages, wholeSeconds(r.OlderThan.Duration()))
		}
	}
	return ages
}

// RetentionAges are those that the retention rules name, by the time that they count from.
func (c *Config) RetentionAges() (updated, created, built []time.Duration) {
	for i := range c.Retention {
		r := &c.Retention[i]
		ages := matchAges(r)
		if r.Delete != nil {
			ages = append(ages, r.Delete.OlderThan.Duration())
		}
		if r.Keep != nil {
			ages = append(ages, r.Keep.Within.Duration(), r.Keep.WithinNewest.Duration())
		}
		for _, age := range ages {
			switch r.By {
			case "created_at":
				created = append(created, wholeSeconds(age))
			case "built_at":
				built = append(built, wholeSeconds(age))
			default:
				updated = append(updated, wholeSeconds(age))
			}
		}
	}
	return distinct(updated), distinct(created), distinct(built)
}

func distinct(ages []time.Duration) []time.Duration {
	slices.Sort(ages)
	return slices.Clip(slices.Compact(ages))
}

// wholeSeconds rounds an age up: rules compare ages in whole seconds, rounded down.
func wholeSeconds(age time.Duration) time.Duration {
	return (age + time.Second - 1).Truncate(time.Second)
}

// matchAges are the ages that decide what a rule is about.
func matchAges(r *rules.Retention) []time.Duration {
	var ages []time.Duration
	for _, m := range []*rules.Match{r.Match, r.Except} {
		if m != nil {
			ages = append(ages, m.OlderThan.Duration(), m.YoungerThan.Duration())
		}
	}
	return slices.DeleteFunc(ages, func(age time.Duration) bool { return age == 0 })
}

// MatchesByAge reports whether a retention rule is about tags of some age. Then other tags, as they
// age, can take places or leave them.
func (c *Config) MatchesByAge() bool {
	return slices.ContainsFunc(c.Retention, func(r rules.Retention) bool { return len(matchAges(&r)) > 0 })
}

// LabelAges are the ages that retention rules take from labels.
func (c *Config) LabelAges(labels map[string]string) []time.Duration {
	var ages []time.Duration
	for i := range c.Retention {
		if d := c.Retention[i].Delete; d != nil && d.OlderThanLabel != "" {
			if age, err := rules.Expiry(labels[d.OlderThanLabel]); err == nil {
				ages = append(ages, age)
			}
		}
	}
	return ages
}
