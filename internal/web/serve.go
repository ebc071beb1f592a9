package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// DefaultAddress is where a daemon listens by default: on this machine only.
const DefaultAddress = "127.0.0.1:9095"

// ServeOptions say where and how to serve.
type ServeOptions struct {
	// Addresses to listen on; none is DefaultAddress. A port of 0 is any free one.
	Addresses []string
	// SystemdSocket makes it listen on the sockets that systemd passes instead.
	SystemdSocket bool
	// ConfigFile is a web configuration of exporter-toolkit, for TLS, basic
	// authentication and headers; "" is none.
	ConfigFile string
	// Hosts are the host names that it answers under besides localhost, while it
	// listens on this machine only and has no authentication.
	Hosts []string
	// EnableApply is that of the handler, for the warning.
	EnableApply bool
	// Log receives the addresses and warnings; required.
	Log *slog.Logger
}

// How long requests may take. Answers are rendered before they are sent.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 5 * time.Minute // an explanation asks the API
	idleTimeout   = 2 * time.Minute
	// stopTimeout is how long requests may continue once the daemon has to stop.
	stopTimeout = 5 * time.Second
)

// Listen opens the sockets, so that an address in use, or a bad web configuration, is
// an error before anything else happens.
func Listen(ctx context.Context, o ServeOptions) ([]net.Listener, error) {
	if o.ConfigFile != "" {
		if _, err := readSettings(o.ConfigFile); err != nil {
			return nil, fmt.Errorf("reading the web configuration: %w", err)
		}
	}
	if err := toolkit.Validate(o.ConfigFile); err != nil {
		return nil, fmt.Errorf("reading the web configuration %s: %w", o.ConfigFile, err)
	}
	if o.SystemdSocket {
		listeners, err := activation.Listeners()
		listeners = slices.DeleteFunc(listeners, func(l net.Listener) bool { return l == nil }) // not of a stream
		if err == nil && len(listeners) == 0 {
			err = errors.New("systemd passed no socket: start the socket unit, not the service")
		}
		return listeners, err
	}
	addresses := o.Addresses
	if len(addresses) == 0 {
		addresses = []string{DefaultAddress}
	}
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("listening: %w", err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// AllowedHosts are the Hosts for a handler behind the listeners: any if other machines
// can reach it anyway, or if it has authentication.
func AllowedHosts(listeners []net.Listener, o ServeOptions) []string {
	if authenticates(o.ConfigFile) || slices.ContainsFunc(listeners, func(l net.Listener) bool { return !isLocal(l) }) {
		return nil
	}
	return append([]string{}, o.Hosts...)
}

func isLocal(l net.Listener) bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// Serve serves the handler until the context ends, and closes the listeners.
func Serve(ctx context.Context, listeners []net.Listener, handler http.Handler, o ServeOptions) error {
	warnIfOpen(listeners, o)
	for _, l := range listeners {
		o.Log.Info("listening", "address", l.Addr().String())
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxBody,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := server.Shutdown(bounded); err != nil {
			_ = server.Close()
		}
	})
	flags := &toolkit.FlagConfig{WebListenAddresses: &[]string{}, WebSystemdSocket: new(bool), WebConfigFile: &o.ConfigFile}
	err := toolkit.ServeMultiple(listeners, server, flags, slog.New(quiet{o.Log.Handler()}))
	if !stop() {
		<-stopped
	}
	if ctx.Err() == nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// quiet drops the info messages of exporter-toolkit, which repeat the addresses and
// the configuration.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level > slog.LevelInfo && q.Handler.Enabled(ctx, level)
}

// warnIfOpen warns if the daemon listens beyond this machine without authentication.
func warnIfOpen(listeners []net.Listener, o ServeOptions) {
	if authenticates(o.ConfigFile) {
		return
	}
	for _, l := range listeners {
		if !isLocal(l) {
			may := "start a plan"
			if o.EnableApply {
				may = "start a run that deletes from it"
			}
			o.Log.Warn("anyone who can reach this address sees the registry and may "+may+": set basic_auth_users or client certificates with --web.config.file, or listen on the loopback address",
				"address", l.Addr().String())
		}
	}
}

// authenticates reports whether a web configuration requires a password or a client
// certificate.
func authenticates(file string) bool {
	if file == "" {
		return false
	}
	s, err := readSettings(file)
	return err == nil && (s.passwords() || s.certificates())
}
