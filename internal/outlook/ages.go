package outlook

import (
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// emptyAges are the ages that the rules on what is empty name.
func emptyAges(c *config.Config) []time.Duration {
	var ages []time.Duration
	for _, r := range []*rules.EmptyRule{c.Empty.Images, c.Empty.Namespaces} {
		if r != nil {
			ages = append(ages, wholeSeconds(r.OlderThan.Duration()))
		}
	}
	return ages
}

// retentionAges are those that the retention rules name, by the time that they count from.
func retentionAges(c *config.Config) (updated, created, built []time.Duration) {
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

// matchesByAge reports whether a retention rule is about tags of some age. Then other tags,
// as they age, can take places or leave them.
func matchesByAge(c *config.Config) bool {
	return slices.ContainsFunc(c.Retention, func(r rules.Retention) bool { return len(matchAges(&r)) > 0 })
}

// labelAges are the ages that retention rules take from labels.
func labelAges(c *config.Config, labels map[string]string) []time.Duration {
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
