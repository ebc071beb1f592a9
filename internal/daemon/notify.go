package daemon

import (
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/notify"
)

// Notifications returns the notifications of a configuration.
func Notifications(c *config.Config) notify.Options {
	var o notify.Options
	for _, n := range c.Notifications {
		x := notify.Notification{
			Name: n.Name, URLEnv: n.URLEnv, URLFile: c.Resolve(n.URLFile), Template: n.Template, Link: n.Link, Repeat: n.Repeat.Duration(),
			Owners: n.Owners,
			On:     []notify.Occasion{},
		}
		for _, occasion := range n.On {
			x.On = append(x.On, notify.Occasion(occasion))
		}
		o.Notifications = append(o.Notifications, x)
	}
	return o
}
